package exchange

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
)

func TestReleasedMessagesSayHowLongTheyWaited(t *testing.T) {
	for delay, want := range map[any]any{
		100: int32(-100), "7": int32(-7), 1.5: int32(-1), int64(1 << 31): int32(-1 << 31),
		int64(DelayMax): int64(-DelayMax),
	} {
		p := amqp.Properties{
			ContentType: "text/plain", DeliveryMode: 2, Expiration: "5",
			Headers: amqp.NewTable(map[string]any{"a": "b", "x-delay": delay, "z": nil}),
		}
		got, err := AppendReleased(nil, p.AppendTo(nil)).Decode()
		if err != nil {
			t.Fatal(err)
		}
		headers := got.Headers.Map()
		if headers["x-delay"] != want || headers["a"] != "b" || len(headers) != 3 ||
			got.ContentType != "text/plain" || got.DeliveryMode != 2 || got.Expiration != "5" {
			t.Errorf("%v: %+v, %v", delay, got, headers)
		}
	}
}

// TestReleasedMessagesAreNotDelayedAgain whatever their header is, also if it is there twice.
func TestReleasedMessagesAreNotDelayedAgain(t *testing.T) {
	value := rapid.OneOf(
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Int64Range(0, 1<<33), func(n int64) any { return n }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.Float32(), func(f float32) any { return f }),
		rapid.Map(rapid.StringMatching(`[+-]?[0-9]{0,22}x?`), func(s string) any { return s }),
		rapid.Map(rapid.Uint32(), func(n uint32) any {
			return amqp.Decimal{Scale: uint8(n), Value: n}
		}),
		rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any](map[string]any{"a": 1}),
	)
	rapid.Check(t, func(t *rapid.T) {
		headers := amqp.NewTable(map[string]any{"x-delay": value.Draw(t, "delay"), "y": 1})
		if rapid.Bool().Draw(t, "twice") {
			headers = append(headers, headers...)
		}
		p := amqp.Properties{Headers: headers}
		props := amqp.RawProperties(p.AppendTo(nil))
		n := DelayOf(props)
		if n < 0 || n > DelayMax {
			t.Fatalf("waits for %d", n)
		}
		released := AppendReleased(nil, props)
		if n := DelayOf(released); n != 0 {
			t.Fatalf("waits again for %d", n)
		}
		if _, err := released.Decode(); err != nil {
			t.Fatal(err)
		}
	})
}
