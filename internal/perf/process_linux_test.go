package perf

import (
	"os"
	"testing"
)

func TestMeterMeasuresAProcess(t *testing.T) {
	m, err := NewMeter([]int{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	before, err := m.Read()
	if err != nil {
		t.Fatal(err)
	}
	own, err := OwnCPU()
	if err != nil {
		t.Fatal(err)
	}
	work := 0
	for own <= before.CPU || work < 1e4 { // until the clock has moved
		work++
		if own, err = OwnCPU(); err != nil {
			t.Fatal(err)
		}
	}
	after, err := m.Read()
	if err != nil {
		t.Fatal(err)
	}
	if after.CPU <= before.CPU || after.CPU < own {
		t.Errorf("CPU %v, before %v, own %v", after.CPU, before.CPU, own)
	}
	if after.Resident < 1<<20 || after.Peak < after.Resident {
		t.Errorf("resident %d, peak %d", after.Resident, after.Peak)
	}
}

func TestMeterCountsChildren(t *testing.T) {
	m, err := NewMeter([]int{os.Getppid()})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, pid := range m.pids {
		found = found || pid == os.Getpid()
	}
	if !found {
		t.Errorf("processes %v, want %d among them", m.pids, os.Getpid())
	}
}

func TestMeterNeedsAProcess(t *testing.T) {
	const noPID = 1<<22 + 1 // above the kernel's limit
	if _, err := NewMeter([]int{noPID}); err == nil {
		t.Error("a process that does not exist is measured")
	}
}

func TestStatusFieldIsReadInOctets(t *testing.T) {
	status := []byte("Name:\tVmRSS:\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n")
	if got := statusField(status, "VmRSS:"); got != 1<<20 {
		t.Errorf("VmRSS = %d", got)
	}
	if got := statusField(status, "VmSwap:"); got != 0 {
		t.Errorf("VmSwap = %d", got)
	}
}
