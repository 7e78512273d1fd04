package exchange

import "github.com/warrenmq/warren/amqp"

// topic matches keys and patterns word by word; dots separate words. In a pattern the word
// "*" stands for any one word and "#" for any number of words, none included. A word may be
// empty; an empty key has no words.
//
// The patterns form a tree with a level for each word. Routing walks it with all words at
// once: it keeps the nodes that the words so far lead to, and goes on from each of them with
// the next word. A "#" once reached stays reached, so each is kept once, and the cost is at
// most words × nodes reached, whatever the patterns are.
type topic struct {
	root  node
	loops loopNumbers
}

func newTopic() Router { return new(topic) }

// node is a place in the tree of patterns.
type node struct {
	// Children by literal word: one is held inline, more in the map. Long chains of single
	// children are the common case, and a map for each would cost most of the memory.
	word     string
	child    *node
	children map[string]*node

	star *node // child "*"
	hash *node // child "#"; a "#" has none, because "#.#" is "#"
	loop int   // number of this "#" among those of the exchange, from 1; 0 for other words

	ends destinations // of the patterns that end here
}

func (x *topic) Bind(b Binding) {
	n := &x.root
	for at := firstWord(b.RoutingKey); at >= 0; {
		var word string
		word, at = nextWord(b.RoutingKey, at)
		n = x.enter(n, word)
	}
	n.ends.add(&b)
}

// enter returns the child of n for a word of a pattern, made if need be.
func (x *topic) enter(n *node, word string) *node {
	switch word {
	case "*":
		if n.star == nil {
			n.star = new(node)
		}
		return n.star
	case "#":
		if n.loop > 0 {
			return n
		}
		if n.hash == nil {
			n.hash = &node{loop: x.loops.take()}
		}
		return n.hash
	}
	if c := n.literal([]byte(word)); c != nil {
		return c
	}
	c := new(node)
	n.put(word, c)
	return c
}

func (x *topic) Unbind(b Binding) {
	x.remove(&x.root, &b, firstWord(b.RoutingKey))
}

// remove takes b out of the part of the tree below n, and n's children that became useless.
// The recursion is as deep as a key has words: at most amqp.ShortStrMax+1.
func (x *topic) remove(n *node, b *Binding, at int) {
	if at < 0 {
		n.ends.remove(b)
		return
	}
	word, at := nextWord(b.RoutingKey, at)
	switch {
	case word == "#" && n.loop > 0:
		x.remove(n, b, at)
	case word == "#" && n.hash != nil:
		if x.remove(n.hash, b, at); n.hash.useless() {
			x.loops.giveBack(n.hash.loop)
			n.hash = nil
		}
	case word == "*" && n.star != nil:
		if x.remove(n.star, b, at); n.star.useless() {
			n.star = nil
		}
	default:
		if c := n.literal([]byte(word)); c != nil {
			if x.remove(c, b, at); c.useless() {
				n.drop(word)
			}
		}
	}
}

func (n *node) useless() bool {
	return n.ends.empty() && n.star == nil && n.hash == nil && n.child == nil &&
		len(n.children) == 0
}

// literal returns the child for a word that is no wildcard, or nil.
func (n *node) literal(word []byte) *node {
	if n.child != nil && n.word == string(word) {
		return n.child
	}
	if n.children == nil {
		return nil
	}
	return n.children[string(word)]
}

func (n *node) put(word string, c *node) {
	switch {
	case n.child == nil && n.children == nil:
		n.word, n.child = word, c
	case n.children == nil:
		n.children = map[string]*node{n.word: n.child, word: c}
		n.word, n.child = "", nil
	default:
		n.children[word] = c
	}
}

func (n *node) drop(word string) {
	if n.child != nil {
		n.word, n.child = "", nil
		return
	}
	if delete(n.children, word); len(n.children) == 0 {
		n.children = nil
	}
}

func (x *topic) Route(key []byte, _ amqp.RawProperties, to *Targets) {
	w := &to.walk
	w.steps = 0
	w.begin(x.loops.most)
	w.reach(&x.root)
	for at := firstWord(key); at >= 0 && !w.lost(); {
		var word []byte
		word, at = nextWord(key, at)
		w.step(word)
	}
	w.end(to)
}

// walk is the state of routing one key. Between keys it has memory and no content, so that it
// does not keep nodes that are gone.
type walk struct {
	here    []*node // reached by exactly the words so far
	next    []*node // the same after one word more, while that is being found
	loops   []*node // every "#" reached so far
	reached []uint64
	steps   int // nodes gone on from: the cost of this key, which tests look at
}

// begin gets ready for a tree that numbers its "#" up to most.
func (w *walk) begin(most int) {
	if n := most/64 + 1; n > len(w.reached) {
		w.reached = make([]uint64, n) // none is set between walks
	}
}

// reach notes a node that is no "#". Since "#" matches no words as well, a "#" that follows
// is reached with it.
func (w *walk) reach(n *node) {
	w.next = append(w.next, n)
	if h := n.hash; h != nil && w.reached[h.loop/64]&(1<<(h.loop%64)) == 0 {
		w.reached[h.loop/64] |= 1 << (h.loop % 64)
		w.loops = append(w.loops, h)
	}
}

// lost tells whether no word can lead anywhere any more.
func (w *walk) lost() bool { return len(w.next) == 0 && len(w.loops) == 0 }

// step goes on with the next word. What is reached differs: a node has one parent, and a
// parent is gone on from once.
func (w *walk) step(word []byte) {
	w.here, w.next = w.next, w.here[:0]
	loops := w.loops // those reached in this step have not seen the word
	w.steps += len(w.here) + len(loops)
	for _, n := range w.here {
		w.follow(n, word)
	}
	for _, n := range loops {
		w.follow(n, word)
	}
	clear(w.here)
}

func (w *walk) follow(n *node, word []byte) {
	if c := n.literal(word); c != nil {
		w.reach(c)
	}
	if n.star != nil {
		w.reach(n.star)
	}
}

// end adds what the whole key leads to, and lets go of the tree.
func (w *walk) end(to *Targets) {
	for _, n := range w.next {
		to.addAll(&n.ends)
	}
	for _, n := range w.loops {
		to.addAll(&n.ends)
		w.reached[n.loop/64] = 0
	}
	w.here, w.next, w.loops = kept(w.here), kept(w.next), kept(w.loops)
}

// firstWord returns where the first word of a key begins, -1 when there is none.
func firstWord[K string | []byte](key K) int {
	if len(key) == 0 {
		return -1
	}
	return 0
}

// nextWord returns the word that begins at a position, and where the one after it begins, -1
// when there is none.
func nextWord[K string | []byte](key K, at int) (word K, next int) {
	for i := at; i < len(key); i++ {
		if key[i] == '.' {
			return key[at:i], i + 1
		}
	}
	return key[at:], -1
}

// loopNumbers gives out small numbers, from 1, and takes them back.
type loopNumbers struct {
	most int // greatest ever given out
	free []int
}

func (l *loopNumbers) take() int {
	if n := len(l.free); n > 0 {
		number := l.free[n-1]
		l.free = l.free[:n-1]
		return number
	}
	l.most++
	return l.most
}

func (l *loopNumbers) giveBack(number int) { l.free = append(l.free, number) }
