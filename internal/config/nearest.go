package config

// nearest returns the name that takes the fewest changes of a letter to become word, or "" when
// none is near.
func nearest(word string, names []string) string {
	best, least := "", 1+max(len(word)/4, 2)
	for _, name := range names {
		if d := distance(word, name, least); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their neighbour so that a
// becomes b. It gives up, with bound, once it is sure to reach that.
func distance(a, b string, bound int) int {
	if abs(len(a)-len(b)) >= bound || len(a) > distanceMax {
		return bound
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	next := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
			least = min(least, next[j])
		}
		if least >= bound {
			return bound
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}

// distanceMax is the longest name that is compared.
const distanceMax = 200

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
