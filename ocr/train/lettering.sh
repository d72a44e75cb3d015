#!/bin/sh
# Makes ocr/read/model/lettering.traineddata, which reads the names, slogans and
# country signs around a plate's characters: installs what that needs, renders
# them, trains, writes the model. It can be stopped at any moment and started
# again; its state is in build/lettering. PICTURES, SAMPLES, SEED and STATE can be
# set in the environment. It begins with the weights of the model for plates. With
# the defaults it takes about an hour and a half on two quiet cores.
set -eu
cd "$(dirname "$0")/../.."

seed=${SEED:-1}
pictures=${PICTURES:-80000}
samples=${SAMPLES:-570000}
state=${STATE:-build/lettering}
python="nice -n 19 /usr/bin/python3"

missing=
for p in python3-torch python3-numpy python3-pil libopenblas0-pthread tesseract-ocr \
    fonts-liberation2 fonts-dejavu-core fonts-opendin fonts-cabin fonts-bebas-neue fonts-yanone-kaffeesatz fonts-league-spartan fonts-comfortaa \
    fonts-linuxlibertine fonts-goudybookletter fonts-roboto-slab fonts-vollkorn fonts-levien-typoscript \
    fonts-lobster fonts-lobstertwo fonts-dancingscript fonts-kaushanscript fonts-leckerli-one fonts-havana fonts-rufscript; do
    dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
if [ -n "$missing" ]; then
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    echo "installing once, from Debian:$missing"
    $as_root apt-get update -q >/dev/null
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends $missing >/dev/null
fi

mkdir -p "$state"
exec 9>"$state/lock"
flock -n 9 || {
    echo "the model is being made already ($state/lock)" >&2
    exit 1
}

echo "rendering $pictures pictures"
$python ocr/train/lettering.py "$state/pool" --pictures "$pictures" --seed "$seed"
[ -e "$state/start.pt" ] || $python ocr/train/imported.py ocr/read/model/plate.traineddata "$state/start.pt" "$state/pool" --expected
echo "training on $samples samples"
$python ocr/train/train.py "$state/pool" "$state/run" --lettering --samples "$samples" --start "$state/start.pt" --peak 1.2e-3 --every 1000000000 --seed "$seed"
echo "writing the model"
$python ocr/train/export.py "$state/run/state.pt" "$state"
cp "$state/plate.traineddata" ocr/read/model/lettering.traineddata
echo "measure it: platewatch bench on folders with states.tsv or countries.tsv"
