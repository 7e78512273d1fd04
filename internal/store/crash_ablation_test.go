package store

import (
	"fmt"
	"regexp"
	"testing"
	"time"
)

// ablation leaves out one of the measures that make crashes and damage harmless. Histories must
// find a violation then, else either the measure is not needed, or they are no good.
type ablation struct {
	what    string
	lose    string  // a pattern of boundaries, all syncs: they do nothing
	without measure // or one that is in the code
	// speed: it is not there against crashes, and nothing is found.
	speed string
	// slow: it takes some histories to find, which only the full run makes.
	slow bool
}

func ablations() []ablation {
	return []ablation{
		{what: "sync of a group before its waiters are told",
			lose: `commit of \w+: sync log file`},
		{what: "sync of the empty group at the end", lose: `end log: sync log file`},
		{what: "sync of the directory after a new log file", lose: `new log: syncdir`},
		{what: "sync of the directory after recycling", lose: `recycle: syncdir`},
		{what: "sync of a prepared file", lose: `prepare: sync header of log file`,
			speed: "later syncs of the file have little to do; the first commit makes it safe"},
		{what: "sync of the directory after preparing", lose: `prepare: syncdir`},
		{what: "sync of a new segment", lose: `segment: sync segment`},
		{what: "sync of the directory after a new segment", lose: `segment: syncdir`},
		{what: "sync of the manifest",
			lose: `(adopt|move|merge|drop|release): sync manifest\.log`},
		{what: "sync of a rewritten manifest", lose: `rewrite: sync manifest\.log\.new`},
		{what: "sync of the directory after rewriting the manifest",
			lose: `rewrite manifest\.log: syncdir`},
		{what: "sync of the empty group at the end of the manifest",
			lose: `close: sync manifest\.log`},
		{what: "sync of definitions", lose: `define: sync definitions\.log`},
		{what: "sync of rewritten definitions", lose: `rewrite: sync definitions\.log\.new`},
		{what: "sync of the directory after rewriting definitions",
			lose: `rewrite definitions\.log: syncdir`, slow: true},
		{what: "sync of the empty group at the end of the definitions",
			lose: `close: sync definitions\.log`},
		{what: "sync of the directory after removing a log file",
			lose: `remove log file: syncdir`, slow: true},
		{what: "recovery: sync of the last log file", lose: `start: sync log file`},
		{what: "recovery: sync of the manifest", lose: `start: sync manifest\.log`, slow: true},
		{what: "recovery: sync of the definitions",
			lose: `start: sync definitions\.log`, slow: true},
		{what: "recovery: sync of the directory", lose: `start: syncdir`, slow: true},
		{what: "sync of the room set aside", lose: `set aside: sync reserve(-merge)?\.tmp`,
			speed: "some file systems find the room for it only then"},

		{what: "waiters are told after the sync", without: syncBeforeAck},
		{what: "checksums of records", without: checksums},
		{what: "the generation in checksums", without: generations},
		{what: "each group names the one before", without: chains},
		{what: "the length of groups", without: lengths},
		{what: "the log goes before the manifest", without: orderOfEdits},
		{what: "the manifest is told what was settled", without: goneSets},
		{what: "settlements are synced before a file goes", without: emptiedSync, slow: true},
		{what: "readers keep their file", without: readerPins},
		{what: "a commit is one group", without: oneGroup},
	}
}

const (
	// ablationSeeds histories look for what is missing, at most.
	ablationSeeds = 120
	// speedSeeds histories must not find what is only there for speed.
	speedSeeds = 12
	// ablationFresh: after so many, boundaries count as rare again.
	ablationFresh = 6
	// ablationEach crash points of each boundary until then.
	ablationEach = 12
)

func TestEveryMeasureAgainstCrashesIsNeeded(t *testing.T) {
	_, full := crashHistoriesMin(t)
	for _, a := range ablations() {
		if !full && (a.slow || a.speed != "" || crashHistories == 1) {
			continue
		}
		t.Run(a.what, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			seeds := uint64(ablationSeeds)
			if a.speed != "" {
				seeds = speedSeeds
			}
			seed, err := a.search(seeds)
			took := time.Since(begin).Round(10 * time.Millisecond)
			switch {
			case err != nil && a.speed == "":
				t.Logf("crash summary | missed: %s (history %d, %v)", a.what, seed, took)
				t.Logf("%.300v", err)
			case err != nil:
				t.Errorf("%s: it is said to be only for speed, but: %v", a.what, err)
			case a.speed == "":
				t.Errorf("%s: nobody missed it in %d histories, %v", a.what, seeds, took)
			default:
				t.Logf("crash summary | not missed: %s, it is for speed: %s", a.what, a.speed)
			}
		})
	}
}

// search runs histories without the measure until one finds that it is missing.
func (a *ablation) search(seeds uint64) (uint64, error) {
	var c *campaign
	for seed := range seeds {
		if seed%ablationFresh == 0 {
			c = newCampaign(ablationEach)
			c.without, c.flips = a.without, 2*crashFlips
			if a.lose != "" {
				c.lose = regexp.MustCompile("^(?:" + a.lose + ")$")
			}
		}
		if err := c.history(seed, nil, crashSteps); err != nil {
			return seed, fmt.Errorf("history %d: %w", seed, err)
		}
	}
	return seeds, nil
}

// checkAblations: every sync that histories have seen is in the list.
func checkAblations(t *testing.T, c *campaign) {
	for name := range c.points {
		if !regexp.MustCompile(`: sync`).MatchString(name) {
			continue
		}
		found := 0
		for _, a := range ablations() {
			if a.lose != "" && regexp.MustCompile("^(?:"+a.lose+")$").MatchString(name) {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%d ablations leave out %q, want 1", found, name)
		}
	}
}
