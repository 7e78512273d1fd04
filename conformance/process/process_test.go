package process_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/conformance/process"
)

const patience = 30 * time.Second

// TestMain lets the test binary play the foreign programs.
func TestMain(m *testing.M) {
	switch os.Getenv("PROCESS_TEST_PLAYS") {
	case "receiver":
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt)
		fmt.Println("waiting")
		<-interrupted
		fmt.Print("goodbye") // no line end
		os.Exit(0)
	case "failure":
		fmt.Println("before")
		fmt.Fprintln(os.Stderr, "cannot go on")
		os.Exit(3)
	case "chatter":
		for i := range 100 {
			fmt.Printf("line %d\n", i)
			fmt.Fprintf(os.Stderr, "complaint %d %s\n", i, strings.Repeat(".", 1<<10))
		}
		os.Exit(3)
	}
	os.Exit(m.Run())
}

func plays(t *testing.T, part string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "PROCESS_TEST_PLAYS="+part)
	return cmd
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func TestInterruptedProcessKeepsItsLastWords(t *testing.T) {
	p, err := process.Start("receiver", plays(t, "receiver"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	if err := p.WaitLine(deadline(t), "waiting"); err != nil {
		t.Fatal(err)
	}
	p.Interrupt()
	if err := p.Wait(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if got := p.Lines(); !slices.Equal(got, []string{"waiting", "goodbye"}) {
		t.Errorf("lines %q", got)
	}
}

func TestWaitForALineThatNeverComesEndsWithTheProcess(t *testing.T) {
	p, err := process.Start("failure", plays(t, "failure"))
	if err != nil {
		t.Fatal(err)
	}
	err = p.WaitLine(deadline(t), "after")
	for _, part := range []string{`"after"`, "before", "cannot go on"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not tell %q", err, part)
		}
	}
}

func TestRunTellsHowAProgramFailed(t *testing.T) {
	lines, err := process.Run(deadline(t), "failure", plays(t, "failure"))
	if err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
	if !slices.Equal(lines, []string{"before"}) {
		t.Errorf("lines %q", lines)
	}
}

func TestWaitEndsAtTheDeadlineAndKillEndsTheProcess(t *testing.T) {
	p, err := process.Start("receiver", plays(t, "receiver"))
	if err != nil {
		t.Fatal(err)
	}
	past, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Wait(past); err == nil {
		t.Error("a running process has ended")
	}
	p.Kill()
	p.Kill() // of no effect
	if p.Err() == nil {
		t.Error("a killed process has ended well")
	}
}

func TestReportQuotesTheEndOfMuchOutput(t *testing.T) {
	_, err := process.Run(deadline(t), "chatter", plays(t, "chatter"))
	if err == nil {
		t.Fatal("no error")
	}
	for part, quoted := range map[string]bool{
		"line 99": true, "line 60": true, "line 59": false,
		"complaint 99": true, "complaint 80": false,
	} {
		if strings.Contains(err.Error(), part+"\n") != quoted &&
			strings.Contains(err.Error(), part+" ") != quoted {
			t.Errorf("%q quoted: %t", part, !quoted)
		}
	}
}
