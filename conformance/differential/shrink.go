package differential

// shrinkMax is how many programs are tried to make one shorter.
const shrinkMax = 150

// shrink returns the shortest program that it finds by leaving out steps of p, and that still
// differs.
func shrink(p program, differs func(program) bool) program {
	tries := 0
	for size := max(1, len(p.steps)/2); size >= 1; {
		removed := false
		for at := len(p.steps) - size; at >= 0 && tries < shrinkMax; at -= size {
			shorter := p
			shorter.steps = append(append([]step{}, p.steps[:at]...), p.steps[at+size:]...)
			tries++
			if differs(shorter) {
				p, removed = shorter, true
			}
			at = min(at, len(p.steps)) // of what is left
		}
		if tries >= shrinkMax {
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
