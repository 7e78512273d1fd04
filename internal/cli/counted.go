package cli

import "fmt"

// counted writes a number with its noun, as one says it: "1 file", "2 files".
func counted[N int | int64 | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
