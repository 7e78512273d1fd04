package index

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// passing lets messages pass through a queue: window of them are in it at a time.
type passing struct {
	x        *Index
	q        Queue
	next     uint64
	at, size uint32 // of a file
	file     FileID
	emptied  []FileID
	oldest   FileID
}

func newPassing(window, size int) *passing {
	p := &passing{x: New(), next: 1, size: uint32(size), file: 1, oldest: 1}
	p.emptied = make([]FileID, 0, 16)
	p.x.AddFile(1)
	for range window {
		p.append()
	}
	return p
}

func (p *passing) append() {
	p.x.Append(&p.q, p.file, p.next, p.at, p.at+100, 100)
	p.next++
	p.at += 100
}

func (p *passing) settle(first, last uint64) (count int) {
	count, _, p.emptied = p.x.Settle(&p.q, first, last, p.emptied[:0])
	return count
}

// roll begins another file from time to time.
func (p *passing) roll() {
	if p.at < p.size {
		return
	}
	p.file++
	p.at = 0
	p.x.AddFile(p.file)
	for p.oldest < p.file {
		if live, _ := p.x.File(p.oldest); live > 0 {
			return
		}
		p.x.RemoveFile(p.oldest)
		p.oldest++
	}
}

const fileSize = 64 << 20

func wantNoAllocs(t *testing.T, name string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(10_000, f); n != 0 {
		t.Errorf("%s: %v allocations", name, n)
	}
}

func TestAppendAndSettleDoNotAllocate(t *testing.T) {
	for name, window := range map[string]int{"empty": 0, "one": 1, "long": 5000} {
		p := newPassing(window, 1<<30)
		wantNoAllocs(t, name, func() {
			p.append()
			if first := p.next - 1 - uint64(window); p.settle(first, first) != 1 {
				t.Fatal("not settled")
			}
		})
	}
}

func TestExtentsAndListsAreUsedAgain(t *testing.T) {
	p := newPassing(0, 1<<30)
	for f := FileID(2); f <= 8; f++ {
		p.x.AddFile(f)
	}
	pass := func() { // begins an extent with every message, and drops one: there are five
		p.file = p.file%8 + 1
		p.append()
		if first := p.next - 6; p.next > 6 && p.settle(first, first) != 1 {
			t.Fatal("not settled")
		}
	}
	for range 100 {
		pass()
	}
	wantNoAllocs(t, "extents", pass)
	if p.x.frees > 2 || cap(p.q.list) > 16 {
		t.Errorf("%d extents are free, the list has room for %d", p.x.frees, cap(p.q.list))
	}
}

func TestSettlingInAWindowKeepsTheBitmapSmall(t *testing.T) {
	const window = 4096
	p := newPassing(window, 1<<30)
	random := rand.New(rand.NewPCG(1, 2))
	live := make([]uint64, 0, window)
	for n := range uint64(window) {
		live = append(live, n+1)
	}
	step := func() {
		p.append()
		i := random.IntN(window / 2)
		if random.IntN(4) > 0 {
			i = 0 // the window moves on
		}
		n := live[i]
		live = append(append(live[:i], live[i+1:]...), p.next-1)
		if p.settle(n, n) != 1 {
			t.Fatal("not settled")
		}
	}
	words := 0
	for range 200_000 {
		step()
		e := p.q.last()
		words = max(words, cap(e.gone.words))
	}
	t.Logf("%d words at most", words)
	if words > 8*window/64 {
		t.Errorf("%d words for a window of %d numbers", words, window)
	}
	wantNoAllocs(t, "window", step)
}

func TestBitmapGoesWhenItIsEmpty(t *testing.T) {
	const words = 1000
	p := newPassing(100*words, 1<<30)
	p.settle(2, 64*words-1)
	e := p.q.Find(0)
	if n := len(e.gone.words); n != words {
		t.Fatalf("%d words", n)
	}
	p.settle(1, 1)
	if e.gone.words != nil || e.Live != 36*words+1 {
		t.Fatalf("%d words, %d live", cap(e.gone.words), e.Live)
	}
}

func TestOnlyWhatIsGoneOutOfOrderIsInTheBitmap(t *testing.T) {
	p := newPassing(100, 1<<30)
	e := p.q.Find(0)
	if p.settle(50, 40); e.gone.words != nil {
		t.Error("nothing was settled")
	}
	if p.settle(2, 3); len(e.gone.words) != 1 || e.bitmapSize() != 1 {
		t.Errorf("%d words, %d bytes", len(e.gone.words), e.bitmapSize())
	}
	if p.settle(1, 1); e.bitmapSize() != 0 {
		t.Errorf("%d bytes", e.bitmapSize())
	}
	if p.settle(4, 63); len(e.gone.words) != 0 {
		t.Errorf("%d words", len(e.gone.words))
	}
}

func TestBitmapGivesMemoryBack(t *testing.T) {
	const n = 1_000_000
	p := newPassing(n, 1<<30)
	for i := uint64(1); i <= n; i += 2 {
		p.settle(i, i)
	}
	most := cap(p.q.Find(0).gone.words)
	p.settle(1, n-6400)
	if words := cap(p.q.Find(0).gone.words); words > 4*100 {
		t.Fatalf("%d words of %d for 6400 numbers", words, most)
	}
}

// An empty queue takes 64 bytes, and nothing besides.
func TestEmptyQueueIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Queue{}); size > 64 {
		t.Errorf("a queue takes %d bytes", size)
	}
	if size := unsafe.Sizeof(Extent{}); size > 128 {
		t.Errorf("an extent takes %d bytes", size)
	}
	p := newPassing(listKept*gapMax, 1<<30)
	for range listKept * 4 {
		p.next += gapMax
		p.append()
	}
	p.settle(0, NumberMax)
	if p.q.list != nil {
		t.Errorf("an empty queue keeps a list for %d extents", cap(p.q.list))
	}
}

func benchmarkPassing(b *testing.B, window int) {
	p := newPassing(window, fileSize)
	b.ReportAllocs()
	for b.Loop() {
		p.append()
		p.settle(p.next-1-uint64(window), p.next-1-uint64(window))
		p.roll()
	}
}

// One message is appended and one settled: the sum of both.
func BenchmarkAppendAndSettleAtOnce(b *testing.B)  { benchmarkPassing(b, 0) }
func BenchmarkAppendAndSettleInOrder(b *testing.B) { benchmarkPassing(b, 1000) }
func BenchmarkAppendAndSettleBacklog(b *testing.B) { benchmarkPassing(b, 10_000_000) }

func BenchmarkAppend(b *testing.B) {
	p := newPassing(1, fileSize)
	b.ReportAllocs()
	for b.Loop() {
		p.append()
		if p.at >= p.size { // the same file again
			p.x.DeleteQueue(&p.q, nil)
			p.at = 0
		}
	}
}

func BenchmarkSettleInOrder(b *testing.B) {
	const n = 500_000
	p := newPassing(n, fileSize)
	first := uint64(1)
	b.ReportAllocs()
	for b.Loop() {
		if p.settle(first, first); first == n {
			b.StopTimer()
			p, first = newPassing(n, fileSize), 0
			b.StartTimer()
		}
		first++
	}
}

// Within 64 numbers the order is turned round.
func BenchmarkAppendAndSettleOutOfOrder(b *testing.B) {
	const window = 4096
	p := newPassing(window, fileSize)
	b.ReportAllocs()
	for b.Loop() {
		p.append()
		n := p.next - 1 - window
		n = n&^63 + 63 - n&63
		p.settle(n, n)
		p.roll()
	}
}

func BenchmarkSettleRangesOfHundred(b *testing.B) {
	p := newPassing(1000, fileSize)
	b.ReportAllocs()
	for b.Loop() {
		for range 100 {
			p.append()
		}
		p.settle(p.next-1100, p.next-1001)
		p.roll()
	}
}
