package amqp091

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// pushed returns the deliveries from first to last, held by an unacked of its own.
func pushed(first, last uint64) *unacked {
	u := &unacked{}
	for tag := first; tag <= last; tag++ {
		u.push(delivery{tag: tag, seq: tag, consumer: &consumer{}})
	}
	return u
}

func tags(list []delivery) []uint64 {
	out := make([]uint64, len(list))
	for i := range list {
		out[i] = list[i].tag
	}
	return out
}

func TestAckTakesOneDeliveryOnce(t *testing.T) {
	u := pushed(1, 5)
	for _, tag := range []uint64{3, 1, 5} {
		taken, found := u.take(tag, false, nil)
		if !found || !slices.Equal(tags(taken), []uint64{tag}) {
			t.Errorf("take %d: %v, %v", tag, tags(taken), found)
		}
		if _, again := u.take(tag, false, nil); again {
			t.Errorf("%d was taken twice", tag)
		}
	}
	if taken, _ := u.take(0, true, nil); !slices.Equal(tags(taken), []uint64{2, 4}) {
		t.Errorf("left were %v", tags(taken))
	}
}

func TestMultipleAckTakesAllUpToATagThatIsHeld(t *testing.T) {
	u := pushed(1, 5)
	u.take(2, false, nil)
	if _, found := u.take(2, true, nil); found {
		t.Error("an acknowledgement of something settled was taken")
	}
	if taken, _ := u.take(4, true, nil); !slices.Equal(tags(taken), []uint64{1, 3, 4}) {
		t.Errorf("took %v", tags(taken))
	}
	if _, found := u.take(9, true, nil); found {
		t.Error("an acknowledgement of the future was taken")
	}
	if u.len() != 1 {
		t.Errorf("%d left, want 1", u.len())
	}
}

// TestOneOldDeliveryDoesNotKeepTheOthers reaches unackedCompact: the first delivery is never
// acknowledged, a million others are.
func TestOneOldDeliveryDoesNotKeepTheOthers(t *testing.T) {
	u := pushed(1, 1)
	for tag := uint64(2); tag < 1e6; tag++ {
		u.push(delivery{tag: tag, consumer: &consumer{}})
		if _, found := u.take(tag, false, nil); !found {
			t.Fatalf("%d is not held", tag)
		}
	}
	if cap(u.list) > 4*unackedCompact {
		t.Errorf("one delivery occupies %d places", cap(u.list))
	}
	if taken, found := u.take(1, false, nil); !found || len(taken) != 1 {
		t.Error("the old delivery was lost")
	}
}

// TestAListThatWasLongGivesItsPlacesBack reaches unackedKeep.
func TestAListThatWasLongGivesItsPlacesBack(t *testing.T) {
	const peak, left = 100_000, 5
	for name, take := range map[string]func(u *unacked){
		"from the front": func(u *unacked) { u.take(peak-left, true, nil) },
		"from the back": func(u *unacked) {
			for tag := uint64(peak); tag > left; tag-- {
				u.take(tag, false, nil)
			}
		},
		"all but the ends": func(u *unacked) {
			for tag := uint64(left); tag < peak; tag++ {
				u.take(tag, false, nil)
			}
		},
	} {
		u := pushed(1, peak)
		take(u)
		if u.len() != left {
			t.Fatalf("%s: %d left", name, u.len())
		}
		if cap(u.list) > unackedKeep {
			t.Errorf("%s: %d deliveries occupy %d places", name, left, cap(u.list))
		}
		u.take(0, true, nil)
		if cap(u.list) > unackedKeep {
			t.Errorf("%s: no delivery occupies %d places", name, cap(u.list))
		}
	}
}

// TestAWindowThatOpensAndClosesMakesNoGarbage keeps a long list in the pool meanwhile.
func TestAWindowThatOpensAndClosesMakesNoGarbage(t *testing.T) {
	const window = 8 * unackedKeep
	u, tag, k := &unacked{}, uint64(0), &consumer{}
	var out []delivery
	got := testing.AllocsPerRun(20, func() {
		for range window {
			tag++
			u.push(delivery{tag: tag, consumer: k})
		}
		out, _ = u.take(0, true, out[:0])
	})
	if got > window/100 {
		t.Errorf("%v allocations for %d deliveries", got, window)
	}
}

func TestRestoredDeliveriesStandInTheirOrder(t *testing.T) {
	u := pushed(1, 6)
	var taken []delivery
	for _, tag := range []uint64{5, 1, 3} {
		taken, _ = u.take(tag, false, taken)
	}
	u.restore(taken)
	u.push(delivery{tag: 7, consumer: &consumer{}})
	if all, _ := u.take(0, true, nil); !slices.Equal(tags(all), []uint64{1, 2, 3, 4, 5, 6, 7}) {
		t.Errorf("held are %v", tags(all))
	}
	if u.len() != 0 {
		t.Errorf("%d left", u.len())
	}
}

// TestUnackedIsAnOrderedSet compares random use with a sorted list.
func TestUnackedIsAnOrderedSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, model, next := &unacked{}, []uint64{}, uint64(0)
		var aside []delivery
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			tag := rapid.Uint64Range(1, next+1).Draw(t, "tag")
			at, held := slices.BinarySearch(model, tag)
			switch rapid.IntRange(0, 10).Draw(t, "step") {
			case 0: // multiple
				taken, found := u.take(tag, true, nil)
				want := []uint64{}
				if held {
					want = slices.Clone(model[:at+1])
					model = slices.Delete(model, 0, at+1)
				}
				if found != held || !slices.Equal(tags(taken), want) {
					t.Fatalf("take up to %d: %v, want %v", tag, tags(taken), want)
				}
				aside = append(aside, taken...)
			case 10: // multiple, some at a time
				most := rapid.IntRange(0, 5).Draw(t, "most")
				taken, more, found := u.takeUpTo(tag, most, nil)
				want := []uint64{}
				if held {
					want = slices.Clone(model[:min(most, at+1)])
					model = slices.Delete(model, 0, len(want))
				}
				if found != held || !slices.Equal(tags(taken), want) ||
					more != (held && most < at+1) {
					t.Fatalf("take %d up to %d: %v %v, want %v", most, tag, tags(taken), more, want)
				}
				aside = append(aside, taken...)
			case 1:
				u.restore(aside)
				model = append(model, tags(aside)...)
				slices.Sort(model)
				aside = nil
			case 2, 3, 4:
				taken, found := u.take(tag, false, nil)
				if found != held || found && taken[0].tag != tag {
					t.Fatalf("take %d: %v %v, want %v", tag, tags(taken), found, held)
				}
				if held {
					model = slices.Delete(model, at, at+1)
				}
				aside = append(aside, taken...)
			default:
				next++
				u.push(delivery{tag: next, consumer: &consumer{}})
				model = append(model, next)
			}
			if u.len() != len(model) {
				t.Fatalf("%d held, want %d", u.len(), len(model))
			}
		}
		if all, _ := u.take(0, true, nil); !slices.Equal(tags(all), model) {
			t.Fatalf("held are %v, want %v", tags(all), model)
		}
	})
}
