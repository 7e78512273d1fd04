package httpapi

import (
	"context"
	"strings"
	"testing"
)

// TestTheSameIsAnswered asks both brokers the same, one request after the other.
func TestTheSameIsAnswered(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	both := startPair(ctx, t)
	for _, line := range lines(t, "testdata/requests.txt") {
		request, reason, differs := strings.Cut(line, " ## ")
		method, rest, _ := strings.Cut(request, " ")
		path, body, _ := strings.Cut(rest, " ")
		ours, err := ask(ctx, both.warren, method, "/api"+path, body)
		if err != nil {
			t.Fatalf("%s: warren: %v", request, err)
		}
		theirs, err := ask(ctx, both.rabbitmq, method, "/api"+path, body)
		if err != nil {
			t.Fatalf("%s: rabbitmq: %v", request, err)
		}
		same := ours.String() == theirs.String()
		switch {
		case !same && !differs:
			t.Errorf("%s\n\twarren:   %s\n\trabbitmq: %s", request, ours, theirs)
		case same && differs:
			t.Errorf("%s\n\tis answered in the same way now, and was not because: %s", request,
				reason)
		}
	}
}
