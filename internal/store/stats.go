package store

import "sync/atomic"

// Stats is a snapshot of what the store holds and has done since Start.
type Stats struct {
	LogFiles         int   // that recovery would replay
	LogBytes         int64 // in these files, what is about to be written included
	Segments         int   // files with messages that are no longer in the log
	SegmentBytes     int64 // in these files
	SpillFiles       int   // with messages that are not logged
	SpillBytes       int64 // in these files
	LiveBytes        int64 // of all these, records of messages that are there
	Unsettled        int   // messages, counted once for each queue
	DefinitionsBytes int64 // size of the definitions file
	ManifestBytes    int64 // size of the manifest
	Synced           LSN   // everything up to it is on stable storage
	Last             LSN   // the group of the last record taken
	Full             bool  // the disk has no room for another log file

	Records      uint64 // taken
	Syncs        uint64 // of the log
	WrittenBytes uint64 // to the log
	MovedBytes   uint64 // written to segments
	SpilledBytes uint64 // written to spill files
	Edits        uint64 // of the manifest
	RemovedFiles uint64 // numbered files that were removed or recycled
}

type counts struct {
	records, syncs, written        uint64
	moved, spilled, edits, removed atomic.Uint64
}

// Stats returns the figures now.
func (s *Store) Stats() Stats {
	definitions, manifest := s.definitions.bytes(), s.manifest.bytes()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		DefinitionsBytes: definitions, ManifestBytes: manifest,
		Synced: s.synced, Last: s.last, Full: s.keeper.full,
		Records: s.counts.records, Syncs: s.counts.syncs, WrittenBytes: s.counts.written,
		MovedBytes: s.counts.moved.Load(), SpilledBytes: s.counts.spilled.Load(),
		Edits: s.counts.edits.Load(), RemovedFiles: s.counts.removed.Load(),
	}
	for _, x := range s.files.byID {
		live, bytes := s.live(x)
		st.Unsettled += live
		st.LiveBytes += bytes
		switch {
		case x.segment:
			st.Segments++
			st.SegmentBytes += x.size
		case x.role == roleSpill:
			st.SpillFiles++
			st.SpillBytes += x.size
		}
	}
	st.LogFiles = len(s.files.logs)
	for _, x := range s.files.logs {
		st.LogBytes += x.size
	}
	return st
}
