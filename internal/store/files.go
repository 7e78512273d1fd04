package store

// logFile is what is known about one file of the log while the store runs.
type logFile struct {
	number uint32
	bytes  int64 // header and groups, also those not written yet
	live   int64 // bytes of records with an unsettled message, by shares
	count  int   // entries of the index that point to this file
	// emptied is the position of the record that took the last entry away. The file may be
	// deleted once that record is synced, not before.
	emptied LSN
}

// files is the log: consecutive numbers, the oldest first. The last one receives what is
// published now, though it may not exist on disk before the first write to it.
type files struct {
	list  []logFile
	bytes int64 // sums over list
	live  int64
}

func (f *files) at(number uint32) *logFile { return &f.list[number-f.list[0].number] }

func (f *files) last() *logFile { return &f.list[len(f.list)-1] }

func (f *files) append(number uint32, bytes int64) {
	f.list = append(f.list, logFile{number: number, bytes: bytes})
	f.bytes += bytes
}

func (f *files) grow(bytes int64) {
	f.last().bytes += bytes
	f.bytes += bytes
}

func (f *files) removeOldest() logFile {
	oldest := f.list[0]
	f.list = append(f.list[:0], f.list[1:]...)
	f.bytes -= oldest.bytes
	f.live -= oldest.live
	return oldest
}

// add counts an entry for its file.
func (f *files) add(e entry) {
	file := f.at(e.file)
	file.count++
	file.live += int64(e.share)
	f.live += int64(e.share)
}

// drop takes an entry away from its file; at is the position of the record that says so.
func (f *files) drop(e entry, at LSN) {
	file := f.at(e.file)
	file.count--
	file.live -= int64(e.share)
	f.live -= int64(e.share)
	if file.count == 0 {
		file.emptied = at
	}
}
