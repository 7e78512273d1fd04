package exchange

// destinations are the ends of the bindings that match alike, such as all those with the same
// key in a direct exchange. Bindings that differ only in what does not matter there lead to
// one end, which is counted. Adding and removing take the same time however many there are.
type destinations struct {
	list  []destination
	index map[end]int32 // positions in list, while it is long
}

type destination struct {
	name       string
	toExchange bool
	bindings   int32 // how many lead there
}

// end is what tells one destination from another.
type end struct {
	name       string
	toExchange bool
}

func (d *destinations) empty() bool { return len(d.list) == 0 }

// find returns the position of a destination, or -1.
func (d *destinations) find(e end) int {
	if d.index != nil {
		if i, ok := d.index[e]; ok {
			return int(i)
		}
		return -1
	}
	for i := range d.list {
		if d.list[i].name == e.name && d.list[i].toExchange == e.toExchange {
			return i
		}
	}
	return -1
}

func (d *destinations) add(b *Binding) {
	e := end{b.Destination, b.ToExchange}
	if i := d.find(e); i >= 0 {
		d.list[i].bindings++
		return
	}
	d.list = append(d.list, destination{name: e.name, toExchange: e.toExchange, bindings: 1})
	switch n := len(d.list); {
	case d.index != nil:
		d.index[e] = int32(n - 1)
	case n > scanMax:
		d.index = make(map[end]int32, 2*n)
		for i := range d.list {
			d.index[end{d.list[i].name, d.list[i].toExchange}] = int32(i)
		}
	}
}

func (d *destinations) remove(b *Binding) {
	e := end{b.Destination, b.ToExchange}
	i := d.find(e)
	if i < 0 {
		return
	}
	if d.list[i].bindings--; d.list[i].bindings > 0 {
		return
	}
	last := len(d.list) - 1
	d.list[i] = d.list[last]
	d.list[last] = destination{}
	d.list = d.list[:last]
	if d.index == nil {
		return
	}
	delete(d.index, e)
	if i < last {
		d.index[end{d.list[i].name, d.list[i].toExchange}] = int32(i)
	}
	if last <= scanMax/2 { // not at scanMax: one that comes and goes would cost an index each time
		d.index = nil
	}
}
