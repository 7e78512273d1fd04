package broker

import "testing"

func TestLimitsOfANodeCanBeChanged(t *testing.T) {
	h := limited(t, Options{Limits: NodeLimits{Connections: 1}})
	h.guest()
	refused(t, "a second connection", h.tryOpen(),
		"NOT_ALLOWED - connection refused: node connection limit (1) is reached")
	h.SetLimits(NodeLimits{})
	refused(t, "without limits", h.tryOpen(), "")
}
