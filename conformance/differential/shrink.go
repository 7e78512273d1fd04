package differential

import "time"

// How many programs are tried to make one shorter, and how long: some take long to play.
const (
	shrinkMax      = 150
	shrinkPatience = 25 * time.Second
)

// shrink returns the shortest program that it finds by leaving out steps of p, and that still
// differs.
func shrink(p program, differs func(program) bool) program {
	tries, start := 0, time.Now()
	enough := func() bool { return tries >= shrinkMax || time.Since(start) > shrinkPatience }
	for size := max(1, len(p.steps)/2); size >= 1; {
		removed := false
		for at := len(p.steps) - size; at >= 0 && !enough(); at -= size {
			shorter := p
			shorter.steps = append(append([]step{}, p.steps[:at]...), p.steps[at+size:]...)
			tries++
			if differs(shorter) {
				p, removed = shorter, true
			}
			at = min(at, len(p.steps)) // of what is left
		}
		if enough() {
			break
		}
		if size > 1 {
			size /= 2
		} else if !removed {
			break
		}
	}
	return p
}
