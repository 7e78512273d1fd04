package queue

// indexKept is the number of entries for which an index that has become empty keeps its room.
// It is small against what went through an index that has grown larger.
const indexKept = 2048

// heap is a binary heap of sequence numbers, the smallest first.
type heap []uint64

func (h *heap) push(seq uint64) {
	*h = append(*h, seq)
	a := *h
	for i := len(a) - 1; i > 0; {
		parent := (i - 1) / 2
		if a[parent] <= a[i] {
			return
		}
		a[parent], a[i] = a[i], a[parent]
		i = parent
	}
}

func (h *heap) pop() uint64 {
	a := *h
	top := a[0]
	last := len(a) - 1
	a[0] = a[last]
	a = a[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(a) {
			break
		}
		if child+1 < len(a) && a[child+1] < a[child] {
			child++
		}
		if a[i] <= a[child] {
			break
		}
		a[i], a[child] = a[child], a[i]
		i = child
	}
	if last == 0 && cap(a) > indexKept {
		a = nil
	}
	*h = a
	return top
}

// ring is a queue of consumers that reuses its array. The zero ring is empty.
type ring struct {
	items []*Consumer // length is a power of two
	head  int
	count int
}

func (r *ring) len() int { return r.count }

func (r *ring) push(c *Consumer) {
	if r.count == len(r.items) {
		grown := make([]*Consumer, max(1, 2*len(r.items)))
		for i := range r.count {
			grown[i] = r.items[(r.head+i)&(len(r.items)-1)]
		}
		r.items, r.head = grown, 0
	}
	r.items[(r.head+r.count)&(len(r.items)-1)] = c
	r.count++
}

func (r *ring) pop() *Consumer {
	c := r.items[r.head]
	r.items[r.head] = nil
	r.head = (r.head + 1) & (len(r.items) - 1)
	r.count--
	return c
}

// remove takes c out, wherever it stands.
func (r *ring) remove(c *Consumer) {
	for range r.count {
		if other := r.pop(); other != c {
			r.push(other)
		}
	}
}
