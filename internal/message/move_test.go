package message

import (
	"testing"
	"unsafe"
)

func TestMovedMessageIsWhatItWas(t *testing.T) {
	var a Arena
	p := parts{letters(3), letters(5), mode2, letters(16)}
	first, second := p.build(t, &a), p.build(t, &a)
	first.ID = 7
	old := first
	b := make([]byte, 0, first.Size()+second.Size())
	b = second.MoveTo(first.MoveTo(b))
	for _, m := range []*Message{&first, &second, &old} {
		p.check(t, m)
	}
	if unsafe.SliceData(first.Bytes()) != unsafe.SliceData(b) || first.ID != 7 {
		t.Error("the message does not lie where it was moved to")
	}
	if unsafe.SliceData(old.Bytes()) == unsafe.SliceData(b) {
		t.Error("a copy made before has moved too")
	}
	_ = append(first.Bytes(), "overwritten"...)
	p.check(t, &second)
}

func TestOnlySmallMessagesAreShared(t *testing.T) {
	var a Arena
	for size, want := range map[int]bool{
		0: false, 1: true, SharedMax: true, SharedMax + 1: false,
	} {
		if m := (parts{body: letters(size)}).build(t, &a); m.Shared() != want {
			t.Errorf("%d bytes: shared %v, want %v", size, !want, want)
		}
	}
}
