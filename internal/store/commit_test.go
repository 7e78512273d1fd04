package store

import "testing"

// TestCommitsAreBounded reaches CommitBytesMax.
func TestCommitsAreBounded(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	q := s.OpenQueue(1)
	c := Commit{bytes: CommitBytesMax - settlementBytes(1)}
	if !c.Settle(q, []Range{{1, 1}}) {
		t.Error("what fits was refused")
	}
	if c.Settle(q, []Range{{2, 2}}) {
		t.Error("what does not fit was taken")
	}
	c.bytes++
	defer func() {
		if recover() == nil {
			t.Error("a commit that is too large was written")
		}
	}()
	s.Commit(&c)
}
