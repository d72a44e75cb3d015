#!/bin/sh
# How many million instructions a picture costs, to find, to read and to decode:
# what reading it twice takes more than reading it once. The counts are exact
# and do not depend on the load of the machine; valgrind takes a minute a picture.
#
#   ocr/cost.sh PLATEWATCH [-region REGIONS] PICTURE ...
set -eu
command -v valgrind >/dev/null || {
    echo "cost.sh needs Debian's valgrind" >&2
    exit 1
}
if [ $# -lt 2 ]; then
    echo "usage: ocr/cost.sh PLATEWATCH [-region REGIONS] PICTURE ..." >&2
    exit 64
fi
program=$1
shift
region=
if [ "$1" = -region ]; then
    region="-region $2"
    shift 2
fi
count() {
    GOGC=off GOMAXPROCS=1 GODEBUG=asyncpreemptoff=1 OPENCV_FOR_THREADS_NUM=1 OMP_THREAD_LIMIT=1 \
        valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" read $region "$@" 2>&1 >/dev/null | sed -n 's/.*Collected : //p'
}
for picture; do
    once=$(count "$picture")
    twice=$(count "$picture" "$picture")
    echo "$(((twice - once) / 1000000)) $picture"
done | sort -n | awk '{print; v[NR] = $1} END {if (NR > 2) print "median " v[int((NR + 1) / 2)] ", 95th percentile " v[int(NR * .95 + .999)]}'
