#!/bin/sh
# Makes ocr/read/model/plate.traineddata, second.traineddata, which takes turns with it,
# and scout.traineddata, the cheaper network that looks first, and their reports: installs
# what that needs, renders the plates, trains, exports, measures; then goes on from the
# first one to the second; then the same for the scout, which the first one teaches. It
# can be stopped at any moment and started again; what is done stays done, in build/model.
#
#   ocr/train/model.sh [PHOTOS]
#
# PHOTOS holds labelled photographs as described in ocr/train/README.md
# (default ../shared/data). They choose the checkpoint and measure; nothing is
# trained on them. PLATES, SAMPLES, SECOND, SEED, STATE, TARGET and START below can be set in
# the environment. With the defaults two quiet cores take between an hour and a half (with
# 16-bit arithmetic, avx512_bf16) and six.
set -eu
cd "$(dirname "$0")/../.."

photos=${1:-../shared/data}
seed=${SEED:-1}
plates=${PLATES:-500000}    # rendered
samples=${SAMPLES:-2400000} # trained on: every plate several times, cut and lit differently
second=${SECOND:-700000}    # the same for the second network; 0 leaves it
scouted=${SCOUTED:-1000000} # the same for the scout, 0 leaves it; SAMPLES=0 makes those two alone, of the model that is there
chunk=5000
state=${STATE:-build/model}
target=${TARGET:-ocr/read/model}
start=${START:-} # a folder of models to go on with, ocr/read/model: then a tenth to a quarter of the samples will do
python="nice -n 19 /usr/bin/python3"
# Freed tensors stay with the process: giving their pages back and taking them anew in
# every step was two fifths of the time (310 instead of 500 samples a second).
export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=67108864

missing=
for p in python3-torch python3-numpy python3-pil libopenblas0-pthread tesseract-ocr; do
    dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
if [ -n "$missing" ]; then
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    echo "installing once, from Debian:$missing"
    $as_root apt-get update -q >/dev/null
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends $missing >/dev/null
fi

mkdir -p $state
# One at a time: two would write the same files.
exec 9>$state/lock
flock -n 9 || {
    echo "the model is being made already ($state/lock)" >&2
    exit 1
}

echo "rendering $plates plates"
go build -o $state/renderplates ./ocr/render/cmd/renderplates
nice -n 19 $state/renderplates -out $state/plates -size $chunk -chunks $(((plates + chunk - 1) / chunk)) -seed "$seed" -workers "$(nproc)"

made="make model SEED=$seed PLATES=$plates SAMPLES=$samples SECOND=$second SCOUTED=$scouted${start:+ START=$start}"

# The scout expects what its teachers see: with addends of its own it is surer beside obstacles.
expected() { [ "$1" = scout ] || echo --expected; }

# network NAME FOLDER SAMPLES [OPTION]... trains a network in FOLDER, with more options of
# train.py, writes it and measures it.
network() {
    name=$1 folder=$2 count=$3
    shift 3
    echo "training $name on $count samples"
    $python ocr/train/train.py $state/plates "$folder/run" --photos "$photos" --samples "$count" --seed "$seed" "$@"
    echo "writing $name"
    $python ocr/train/export.py "$folder/run/best.pt" "$folder" $(expected "$name")
    $python ocr/train/report.py "$folder/run" "$folder" "$photos" "$target" "$name" "$made"
}

# further NAME FOLDER SAMPLES MODEL SHAPE goes on with a model, held to what it reads right.
further() {
    mkdir -p "$2"
    [ -e "$2/former.pt" ] || $python ocr/train/imported.py "$4" "$2/former.pt" --shape "$5" $(expected "$1")
    [ -e "$2/start.pt" ] || $python ocr/train/imported.py "$4" "$2/start.pt" $state/plates --shape "$5" $(expected "$1")
    network "$1" "$2" "$3" --shape "$5" --start "$2/start.pt" --kept "$2/former.pt" --peak 5e-4
}

if [ -n "$start" ]; then
    [ -d "$start" ] || {
        echo "START=$start is no folder: say the one with the models, ocr/read/model" >&2
        exit 1
    }
    [ "$samples" -eq 0 ] || further plate $state/plate "$samples" "$start/plate.traineddata" plate
    [ "$second" -eq 0 ] || further second $state/second "$second" "$start/second.traineddata" plate
    [ "$scouted" -eq 0 ] || further scout $state/scout "$scouted" "$start/scout.traineddata" cheap
    exit
fi

[ "$samples" -eq 0 ] || network plate $state "$samples"

if [ "$second" -gt 0 ]; then
    mkdir -p $state/second
    [ -e $state/second/start.pt ] || $python ocr/train/imported.py "$target/plate.traineddata" $state/second/start.pt $state/plates --expected
    network second $state/second "$second" --start $state/second/start.pt --peak 1e-3
fi

if [ "$scouted" -gt 0 ]; then
    mkdir -p $state/scout
    for name in plate second; do
        $python ocr/train/imported.py "$target/$name.traineddata" "$state/scout/$name.pt" --expected
    done
    network scout $state/scout "$scouted" --shape cheap --teacher $state/scout/plate.pt $state/scout/second.pt --peak 2e-3
fi
