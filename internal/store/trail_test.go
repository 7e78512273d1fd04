package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/internal/store/index"
)

// TestScatteredMessagesAreFoundWhereverTheyMove reads messages in random order, while others are
// published, spilled and settled and files are merged.
func TestScatteredMessagesAreFoundWhereverTheyMove(t *testing.T) {
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := open(t, worldOptions(newDisk(t)))
		q, other := s.OpenQueue(1), s.OpenQueue(2)
		s.Scatter(q)
		want := make(map[uint64]string)
		var numbers []uint64
		for i := range 3000 {
			body := strings.Repeat(fmt.Sprint(i), 1+random.IntN(20))
			switch random.IntN(8) {
			case 0, 1:
				put(s, other, body)
			case 2:
				n := q.Number()
				must(t, s.Spill(q, []Stored{{Number: n, Message: []byte(body)}}))
				want[n] = body
				numbers = append(numbers, n)
			case 3:
				s.Settle(other, []Range{{uint64(random.IntN(i + 1)), uint64(i)}})
			case 4, 5:
				n, _ := put(s, q, body)
				want[n] = body
				numbers = append(numbers, n)
			default:
				if len(numbers) == 0 {
					continue
				}
				at := random.IntN(len(numbers))
				n := numbers[at]
				out, _, err := s.Load(q, n, n, 1, nil)
				must(t, err)
				if len(out) != 1 || out[0].Number != n || string(out[0].Message) != want[n] {
					t.Fatalf("seed %d: message %d of %d is %v, want %q", seed, n, i, out, want[n])
				}
				s.Settle(q, []Range{{n, n}})
				numbers[at] = numbers[len(numbers)-1]
				numbers = numbers[:len(numbers)-1]
			}
		}
	}
}

// TestAScatteredMessageIsReadAlone counts what is read from the disk.
func TestAScatteredMessageIsReadAlone(t *testing.T) {
	var tr trail
	tr.step = loadChunkBytes
	e := index.Extent{File: 7, First: 1000, Last: 1 << 30, Start: 4096, End: 1 << 30}
	for i := range int64(trailMax) + 10 {
		tr.add([]hint{{number: uint64(1000 + i), file: 7, offset: 4096 + i*loadChunkBytes}})
	}
	if n := len(tr.hints); n > trailMax || tr.step != 2*loadChunkBytes {
		t.Fatalf("%d places are remembered, %d bytes apart", n, tr.step)
	}
	for i := range int64(30_000) {
		at := tr.offset(&e, uint64(1000+i))
		if far := 4096 + i*loadChunkBytes - at; far < 0 || far > tr.step {
			t.Fatalf("message %d is looked for %d bytes before it", i, far)
		}
	}
	moved := e
	moved.File = 8
	if at := tr.offset(&moved, 2000); at != 0 {
		t.Errorf("of a file that is gone, offset %d is remembered", at)
	}
	if at := tr.offset(&e, 1500); at != 0 {
		t.Error("what was wrong is not forgotten")
	}
}

func TestATrailRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := trail{step: 10}
		for range rapid.IntRange(1, 100).Draw(t, "adds") {
			n := rapid.Uint64Range(1, 200).Draw(t, "number")
			tr.add([]hint{{n, index.FileID(1 + n/50), int64(3 * n)}})
			for i := 1; i < len(tr.hints); i++ {
				a, b := &tr.hints[i-1], &tr.hints[i]
				if a.number >= b.number || a.file == b.file && b.offset-a.offset < 10 {
					t.Fatalf("%v before %v", a, b)
				}
			}
		}
	})
}
