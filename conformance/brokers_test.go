package conformance

import "testing"

func (s *suite) compareBrokers(t *testing.T) {
}
