package store

// Waiter is told when the log has reached the disk.
type Waiter interface {
	// Synced is called on the log goroutine, which writes nothing until it returns: it must not
	// block, neither may it call Publish, Settle, DeleteQueue, Wait or Close. With a nil error
	// everything up to and including upTo is on stable storage. An error is final, see
	// Store.Failed; it is ErrClosed if the store was closed before there was anything at the
	// position waited for.
	Synced(upTo LSN, err error)
}

type waiting struct {
	waiter Waiter
	lsn    LSN
}

// Notify calls w.Synced once, as soon as the log is stable up to at least lsn; also if it is
// already. After a failure, w.Synced is called with the error. It does not wait; once the store
// is closed there is no log goroutine, and w.Synced is called before Notify returns.
func (s *Store) Notify(w Waiter, lsn LSN) {
	s.mu.Lock()
	if s.phase == closed {
		synced, err := s.synced, s.err
		s.mu.Unlock()
		w.Synced(synced, outcome(lsn, synced, err))
		return
	}
	s.waiters = append(s.waiters, waiting{waiter: w, lsn: lsn})
	switch {
	case lsn <= s.synced || s.err != nil:
		s.due = true
		s.work.Signal()
	case s.phase == started && lsn >= s.front.lsn && s.front.records > 0 &&
		(!s.keeper.full || s.alone || s.keeper.writing):
		s.hurry() // else what is in front goes to the disk after lazyDelay, in fewer groups
	}
	s.mu.Unlock()
}

// outcome is what a waiter for lsn is told when nothing more will be written.
func outcome(lsn, synced LSN, err error) error {
	if err == nil && lsn > synced {
		return ErrClosed
	}
	return err
}

// tellWaiters calls those who have become due. Only the log goroutine calls it. If it is the last
// time, everybody is told, and the store is closed from then on.
func (s *Store) tellWaiters(lastTime bool) {
	s.mu.Lock()
	synced, err := s.synced, s.err
	told := s.writer.told[:0]
	if s.due || lastTime {
		left := s.waiters[:0]
		for _, w := range s.waiters {
			if lastTime || err != nil || w.lsn <= synced {
				told = append(told, w)
			} else {
				left = append(left, w)
			}
		}
		clear(s.waiters[len(left):])
		s.waiters, s.due = left, false
	}
	if lastTime {
		s.phase = closed
	}
	s.mu.Unlock()
	for _, w := range told {
		if lastTime {
			w.waiter.Synced(synced, outcome(w.lsn, synced, err))
		} else {
			w.waiter.Synced(synced, err)
		}
	}
	clear(told)
	s.writer.told = told
}

// Wait returns when the log is stable up to at least lsn, or the error if it will not be.
func (s *Store) Wait(lsn LSN) error {
	s.mu.Lock()
	if s.err != nil || lsn <= s.synced {
		defer s.mu.Unlock()
		return s.err
	}
	s.mu.Unlock()
	w := make(waitChan, 1)
	s.Notify(w, lsn)
	return <-w
}

// waitChan carries the one result of Wait; with its room for one the log goroutine never blocks.
type waitChan chan error

func (w waitChan) Synced(_ LSN, err error) { w <- err }
