package cli

import (
	"cmp"
	"slices"
	"strings"
)

// nearestMax is how many words are offered for one that is wrong.
const nearestMax = 3

// didYouMean offers the words that are nearest to one that is wrong, "" if none is near: those
// that differ in at most a third of the letters, or that begin with it.
func didYouMean(wrong string, words []string) string {
	type candidate struct {
		word     string
		distance int
	}
	var near []candidate
	for _, word := range words {
		d := distance(wrong, word)
		if d <= max(1, len(word)/3) || len(wrong) > 1 && strings.HasPrefix(word, wrong) {
			near = append(near, candidate{word, d})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.word, b.word))
	})
	if len(near) == 0 {
		return ""
	}
	var offered []string
	for _, c := range near[:min(len(near), nearestMax)] {
		offered = append(offered, c.word)
	}
	return ": did you mean " + strings.Join(offered, " or ") + "?"
}

// distance is how many letters have to be added, taken away or changed to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, above+1, row[j]+1)
			diagonal = above
		}
	}
	return row[len(b)]
}
