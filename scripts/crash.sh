#!/usr/bin/env bash
# The proof of durability at full count: `make crash`. Needs root, for disks on loop devices, and
# Linux with FUSE. What is missing is a failure. docs/durability.md says what is proved.
#
# Other counts come from the environment, such as WARREN_CRASHES=20; other choices from
# WARREN_CRASH_SEED.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

export WARREN_REQUIRE_ALL=1
export WARREN_CRASHES="${WARREN_CRASHES:-200}"
export WARREN_POWER_CUTS="${WARREN_POWER_CUTS:-50}"
export WARREN_BIT_FLIPS="${WARREN_BIT_FLIPS:-10000}"
histories="${WARREN_CRASH_HISTORIES:-150}"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
begin=$SECONDS
status=0

# The simulated crashes find every boundary of the store; the real ones, what no simulation has.
WARREN_CRASH_HISTORIES="$histories" ${GO:-go} test -count=1 -timeout 2h -v \
	-run 'Crash' ./internal/store 2>&1 | tee "$log" || status=1
${GO:-go} test -count=1 -timeout 30m -v ./internal/crashtest 2>&1 | tee -a "$log" || status=1

echo
echo "=== summary ==="
sed -n -E -e 's/^.*crash summary \| //p' -e 's/^ +[a-z_]+_test\.go:[0-9]+: (.*crash points.*)$/\1/p' "$log"
grep -E '^ *--- (FAIL|SKIP)|^panic:|^FAIL|DATA RACE' "$log"
echo "$(((SECONDS - begin) / 60)) min $(((SECONDS - begin) % 60)) s"
if [ "$status" = 0 ]; then echo "PASS"; else echo "FAIL"; fi
exit "$status"
