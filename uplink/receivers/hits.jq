# Each new revision of each hit as one short line; repeats are left out.
#
#   mosquitto_sub ... -t 'platewatch/v1/units/+/hits' | jq -n -c --unbuffered -f hits.jq
foreach (inputs | select(.id)) as $hit (
    {};                                           # the last revision of each id
    .[$hit.id] as $last
    | .[$hit.id] = ([$last // 0, $hit.revision] | max)
    | .["new"] = ($hit.revision > ($last // 0));
    if .["new"] | not then empty
    elif $hit.withdrawn then $hit | {id, revision, withdrawn}
    else $hit | {id, revision, unit, camera, captured_at, clock, text, confidence, historical,
                 list: .matches[0].list, category: .matches[0].category,
                 plate: (.matches[0].entry.written // .matches[0].entry.plate)}
    end)
