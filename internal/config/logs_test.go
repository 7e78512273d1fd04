package config

import (
	"testing"
	"time"
)

func TestDatesOfRotation(t *testing.T) {
	begin := time.Date(2026, time.January, 31, 13, 45, 30, 0, time.UTC) // a Saturday
	const form = "2006-01-02 15:04:05"
	for text, want := range map[string]string{
		"$D0":       "2026-02-01 00:00:00",
		"$D14":      "2026-01-31 14:00:00",
		"$D13H30":   "2026-02-01 13:30:00",
		"$H30":      "2026-01-31 14:30:00",
		"$H50":      "2026-01-31 13:50:00",
		"$W0D0":     "2026-02-01 00:00:00",
		"$W6D0":     "2026-02-07 00:00:00",
		"$W6D16":    "2026-01-31 16:00:00",
		"$M1D0":     "2026-02-01 00:00:00",
		"$M31D12":   "2026-03-31 12:00:00",
		"$M29D0H15": "2026-03-29 00:15:00",
	} {
		d, err := parseDate(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := d.After(begin).Format(form); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if !(Date{}).After(begin).IsZero() {
		t.Error("never has come")
	}
	for _, text := range []string{"", "$", "D0", "$D24", "$H60", "$W7", "$M0", "$M32", "$D", "$X1",
		"$D0D0", "$H1D1", "$D0 ", "$D000", "$W1M1"} {
		if d, err := parseDate(text); err == nil {
			t.Errorf("%q: %+v", text, d)
		}
	}
}
