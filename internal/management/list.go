package management

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The sizes of pages, RabbitMQ's.
const (
	pageSizeDefault = 100
	pageSizeMax     = 500
)

// listing is a list that a path shows. Only those items are written that are shown; the others
// are looked at for what they are filtered and sorted by.
type listing[T any] struct {
	items []T
	// sorted: the items are in the order of their places already.
	sorted bool
	// place is what the list is sorted by in the end: vhost and name, mostly; nil: the items are
	// in order.
	place func(item *T) (vhost, name string)
	// name is what is filtered.
	name  func(item *T) string
	write func(w *writer, item *T)
	// paged: the client may ask for pages.
	paged bool
}

// page is the part of a list that a client asks for.
type page struct {
	number, size int
	match        func(name string) bool // nil: all
}

// parsePage reads what the query says of pages; nil when it asks for none.
func (q *request) parsePage() (*page, error) {
	if !q.query.Has("page") {
		return nil, nil
	}
	p := &page{size: pageSizeDefault}
	number, err := strconv.Atoi(q.query.Get("page"))
	size := "undefined"
	if q.query.Has("page_size") && err == nil {
		p.size, err = strconv.Atoi(q.query.Get("page_size"))
		size = strconv.Itoa(p.size)
	}
	p.number = number
	if err != nil {
		return nil, badRequest("Pagination parameters are invalid")
	}
	if p.number <= 0 || p.size <= 0 || p.size > pageSizeMax {
		return nil, &failure{
			status: http.StatusBadRequest, kind: "invalid_pagination_parameters",
			reason: fmt.Sprintf("Invalid pagination parameters: page number %d, page size %s",
				p.number, size),
		}
	}
	name := q.query.Get("name")
	switch {
	case name == "":
	case q.flag("use_regex"):
		pattern, err := regexp.Compile("(?i)" + name) // in linear time, whatever it is
		if err != nil || len(name) > patternMax {
			return nil, badRequest("Pagination parameters are invalid")
		}
		p.match = pattern.MatchString
	default:
		name = strings.ToLower(name)
		p.match = func(s string) bool { return strings.Contains(strings.ToLower(s), name) }
	}
	return p, nil
}

// patternMax bounds the pattern of a name, in bytes.
const patternMax = 4096

// row is an item on its way into a list.
type row[T any] struct {
	item        *T
	vhost, name string
	key         sortKey
	index       int // where it was before
}

// show answers with a list: filtered, sorted, cut and with those columns that the query says.
func show[T any](q *request, l *listing[T]) error {
	var p *page
	if l.paged {
		var err error
		if p, err = q.parsePage(); err != nil {
			return err
		}
	}
	found, filtered, err := l.find(q, p)
	if err != nil {
		return err
	}
	w := writer{out: grown(len(found)), want: q.columns()}
	if p != nil {
		w.out = fmt.Appendf(w.out, `{"filtered_count":%d,"item_count":%d,"page":%d,`+
			`"page_count":%d,"page_size":%d,"total_count":%d,"items":`,
			filtered, len(found), p.number, (filtered+p.size-1)/p.size, p.size, len(l.items))
	}
	w.out = append(w.out, '[')
	for _, item := range found {
		w.comma()
		w.out = append(w.out, '{')
		l.write(&w, item)
		w.out = append(w.out, '}')
	}
	w.out = append(w.out, ']')
	if p != nil {
		w.out = append(w.out, '}')
	}
	q.replyBytes(http.StatusOK, "application/json", w.out)
	return nil
}

// find returns the items that are shown, in their order, and how many the filter lets through.
func (l *listing[T]) find(q *request, p *page) (found []*T, filtered int, err error) {
	kept := make([]*T, 0, len(l.items))
	for i := range l.items {
		if p == nil || p.match == nil || p.match(l.name(&l.items[i])) {
			kept = append(kept, &l.items[i])
		}
	}
	filtered = len(kept)
	from, to := 0, filtered
	if p != nil {
		from = (p.number - 1) * p.size
		if p.number-1 > filtered/p.size || from > filtered {
			return nil, 0, &failure{
				status: http.StatusBadRequest, kind: "page_out_of_range",
				reason: fmt.Sprintf("Page out of range, page: %d page size: %d, len: %d",
					p.number, p.size, filtered),
			}
		}
		to = min(from+p.size, filtered)
	}
	column, reverse := q.query.Get("sort"), q.flag("sort_reverse")
	switch inOrder := column == "" && (l.sorted || l.place == nil); {
	case inOrder && !reverse:
	case inOrder:
		slices.Reverse(kept)
	default:
		l.sort(kept, to, column, reverse)
	}
	return kept[from:to], filtered, nil
}

// sort puts the first of the items in their places, as many as are shown; the others come behind
// in no order.
func (l *listing[T]) sort(items []*T, shown int, column string, reverse bool) {
	all, rows := make([]row[T], len(items)), make([]*row[T], len(items))
	for i, item := range items {
		rows[i] = &all[i]
		all[i].item, all[i].index = item, i
		if l.place != nil {
			all[i].vhost, all[i].name = l.place(item)
		}
	}
	switch column {
	case "": // vhost and name are looked at anyway
	case "vhost", "name":
		for i := range rows {
			rows[i].key = sortKey{kind: keyText, text: rows[i].vhost}
			if column == "name" {
				rows[i].key.text = rows[i].name
			}
		}
	default:
		w := writer{want: parseColumns(column)}
		for i := range rows {
			w.found = &rows[i].key
			l.write(&w, rows[i].item)
		}
	}
	sortFirst(rows, shown, func(a, b *row[T]) int {
		c := a.key.compare(&b.key)
		if c == 0 {
			c = strings.Compare(a.vhost, b.vhost)
		}
		if c == 0 {
			c = strings.Compare(a.name, b.name)
		}
		if c == 0 {
			c = cmp.Compare(a.index, b.index)
		}
		if reverse {
			return -c
		}
		return c
	})
	for i, r := range rows[:shown] {
		items[i] = r.item
	}
}

// partOfAll: to find the first ones among so many times more is quicker than to sort all.
const partOfAll = 4

// sortFirst puts the first count rows in order before the others.
func sortFirst[R any](rows []*R, count int, compare func(a, b *R) int) {
	if count*partOfAll > len(rows) || count == 0 {
		slices.SortFunc(rows, compare)
		return
	}
	first := rows[:count] // a heap, the last of them on top
	down := func(i int) {
		for {
			child := 2*i + 1
			if child >= count {
				return
			}
			if child+1 < count && compare(first[child+1], first[child]) > 0 {
				child++
			}
			if compare(first[child], first[i]) <= 0 {
				return
			}
			first[i], first[child] = first[child], first[i]
			i = child
		}
	}
	for i := count/2 - 1; i >= 0; i-- {
		down(i)
	}
	for i := count; i < len(rows); i++ {
		if compare(rows[i], first[0]) < 0 {
			rows[i], first[0] = first[0], rows[i]
			down(0)
		}
	}
	slices.SortFunc(first, compare)
}

// columns are those that the query asks for; nil: all.
func (q *request) columns() columns {
	if !q.query.Has("columns") {
		return nil
	}
	return parseColumns(q.query.Get("columns"))
}

// showOne answers with one object.
func (q *request) showOne(write func(w *writer)) error {
	w := writer{out: append(grown(1), '{'), want: q.columns()}
	write(&w)
	q.replyBytes(http.StatusOK, "application/json", append(w.out, '}'))
	return nil
}
