package amqp

import "testing"

func benchmarkParseFrame(b *testing.B, size int) {
	frame := make([]byte, 0, size+FrameOverhead)
	frame = append(frame, FrameBody, 0, 1, 0, 0, byte(size>>8), byte(size))
	frame = append(frame, make([]byte, size)...)
	frame = append(frame, FrameEnd)
	for b.Loop() {
		if _, n, err := ParseFrame(frame, 131072); err != nil || n == 0 {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkParseFrame(b *testing.B) {
	b.Run("16", func(b *testing.B) { benchmarkParseFrame(b, 16) })
	b.Run("1024", func(b *testing.B) { benchmarkParseFrame(b, 1024) })
}

func BenchmarkBasicPublishViewDecode(b *testing.B) {
	frame := AppendBasicPublish(nil, 1, "amq.direct", "routing.key", false, false)
	args := frame[frameHeaderSize+MethodIDSize : len(frame)-1]
	var v BasicPublishView
	for b.Loop() {
		if err := v.Decode(args); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseContentHeader(b *testing.B) {
	for _, c := range []struct {
		name  string
		props Properties
	}{
		{"none", Properties{}},
		{"mode", Properties{DeliveryMode: 2}},
		{"type+mode", Properties{ContentType: "text/plain", DeliveryMode: 2}},
		{"rpc", Properties{ContentType: "application/json", DeliveryMode: 1,
			CorrelationID: "5b2c6f1e-17c3-4b1e-9d1a-0f6f8f6f2c11", ReplyTo: "amq.gen-abcdef"}},
		{"headers", Properties{DeliveryMode: 2, Headers: NewTable(map[string]any{
			"x-retries": 3, "x-trace": "00-4bf92f3577b34da6a3ce929d0e0e4736", "ok": true})}},
	} {
		b.Run(c.name, func(b *testing.B) {
			payload := append([]byte{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16},
				c.props.AppendTo(nil)...)
			for b.Loop() {
				if _, err := ParseContentHeader(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendBasicDeliver(b *testing.B) {
	dst := make([]byte, 0, 4096)
	exchange, key := []byte("amq.direct"), []byte("routing.key")
	for b.Loop() {
		dst = AppendBasicDeliver(dst[:0], 1, "amq.ctag-0123456789", 7, false, exchange, key)
	}
}

func BenchmarkAppendContent(b *testing.B) {
	for _, size := range []int{16, 1024} {
		b.Run(map[int]string{16: "16", 1024: "1024"}[size], func(b *testing.B) {
			dst := make([]byte, 0, 4096)
			props := RawProperties{flagDeliveryMode >> 8, 0, 2}
			body := make([]byte, size)
			for b.Loop() {
				dst = AppendContent(dst[:0], 1, props, body, 131072)
			}
		})
	}
}

func BenchmarkAppendBasicAck(b *testing.B) {
	dst := make([]byte, 0, 64)
	for b.Loop() {
		dst = AppendBasicAck(dst[:0], 1, 7, true)
	}
}
