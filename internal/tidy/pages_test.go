package tidy

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// checkPages finds pages below docs that neither README.md nor docs/README.md leads to, and
// links in any page that lead nowhere in the tree.
func checkPages(t *tree) (found []finding) {
	linked := make(map[string]bool)
	for _, page := range t.text {
		if path.Ext(page.path) != ".md" {
			continue
		}
		for _, l := range links(page) {
			target := path.Join(path.Dir(page.path), l.target)
			if page.path == "README.md" || page.path == "docs/README.md" {
				linked[target] = true
			}
			if !t.names[target] {
				found = append(found, finding{page.path, l.line, l.target,
					fmt.Sprintf("the link to %s leads nowhere", l.target)})
			}
		}
	}
	for _, page := range t.text {
		ext := path.Ext(page.path)
		if below(page.path, "docs") && ext == ".md" && page.path != "docs/README.md" &&
			!linked[page.path] {
			found = append(found, finding{path: page.path, name: "page",
				text: "no link in README.md or docs/README.md leads to the page"})
		}
	}
	return found
}

// link is a link from one page to a file of the tree.
type link struct {
	target string
	line   int
}

// links returns the links of a page that stay in the tree, without what is in code.
func links(page *textFile) (all []link) {
	inline := regexp.MustCompile(`\]\(([^)\s]+)(?:\s+"[^"]*")?\)`)
	code := regexp.MustCompile("`[^`]*`")
	fenced := false
	for i, line := range page.lines() {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		if fenced {
			continue
		}
		for _, m := range inline.FindAllStringSubmatch(code.ReplaceAllString(line, "``"), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target != "" && !strings.Contains(target, ":") {
				all = append(all, link{target, i + 1})
			}
		}
	}
	return all
}

// checkPaths finds paths of one person's or one builder's machine, in any text file.
func checkPaths(t *tree) (found []finding) {
	// Somebody's home, or where a build service keeps its checkouts.
	const homes = `/(?:home|Users|root|workspaces?|work|builds)/|[A-Z]:\\+Users\\+`
	machine := regexp.MustCompile(`(?:^|[\s"'(=:\x60])((?:` + homes + `)[\w.-]+)`)
	for _, f := range t.text {
		for i, line := range f.lines() {
			if m := machine.FindStringSubmatch(line); m != nil {
				found = append(found, finding{f.path, i + 1, m[1],
					m[1] + " exists on one machine only: use a path from the root of the tree"})
			}
		}
	}
	return found
}
