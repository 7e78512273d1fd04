package store

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/warrenmq/warren/internal/disk"
)

const (
	// faultOften: one call in so many fails.
	faultOften = 400
	// roomMax is the most that a disk has left when it begins to be full.
	roomMax = 100 << 10
	// worldBytes is more than a history needs.
	worldBytes = 1 << 40
)

// fault makes a write or a sync fail now and then, or any other call.
func (w *world) fault(name string, c disk.Call) disk.Fault {
	if !w.faults || w.calm || w.depth() > 0 || w.broken != "" || w.doing == "spill" ||
		!w.chance(faultOften) {
		return disk.Fault{}
	}
	w.broken = name
	w.mu.Lock()
	w.fails[name]++
	w.mu.Unlock()
	fault := disk.Fault{Err: syscall.EIO, Dropped: w.chance(2)}
	if c.Length > 0 && w.chance(2) && !w.full { // else what is written may fail for lack of room
		fault.Bytes = w.random.IntN(c.Length)
	}
	return fault
}

// failed checks what a store does whose disk failed, and starts again after a power loss.
func (w *world) failed() {
	w.endReader()
	if w.store.Err() == nil {
		if !strings.HasPrefix(w.broken, "remove: ") { // of what nobody needs
			w.fail(fmt.Errorf("the disk failed at %s, the store did not", w.broken))
		}
		w.broken = ""
		return
	}
	synced := w.store.synced
	w.publish()
	w.settle()
	w.store.turn()
	w.keep()
	switch {
	case w.store.synced != synced:
		w.fail(fmt.Errorf("after a failure at %s, %d became %d", w.broken, synced, w.store.synced))
	case w.untold != 0:
		w.fail(fmt.Errorf("after a failure at %s, %d are not told", w.broken, w.untold))
	case w.store.Close() == nil:
		w.fail(fmt.Errorf("after a failure at %s, close has no error", w.broken))
	}
	w.crashAndStart()
}

// crashAndStart goes on after a power loss, if need be after several.
func (w *world) crashAndStart() {
	for w.err == nil {
		w.endLife()
		w.mem, w.untold, w.broken = w.mem.Crash(w.random.Uint64()), 0, ""
		w.makeRoom()
		err := w.start()
		if err == nil {
			return
		}
		if w.broken == "" {
			w.fail(fmt.Errorf("restart: %w", err))
			return
		}
	}
}

// fillDisk leaves little room on the disk.
func (w *world) fillDisk() {
	if !w.faults || w.depth() > 0 || w.full {
		return
	}
	w.mem.SetCapacity(worldBytes)
	free, err := w.mem.Free(worldDir)
	if err != nil {
		w.fail(err)
		return
	}
	w.mem.SetCapacity(worldBytes - int64(free) + w.random.Int64N(roomMax>>w.mood.narrow))
	w.full = true
}

func (w *world) makeRoom() {
	w.mem.SetCapacity(0)
	w.full = false
}
