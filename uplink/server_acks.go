package uplink

import (
	"encoding/json"
	"fmt"

	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// parseAcks reads a message of the acks topic, which can be anything at all.
func parseAcks(unit string, payload []byte) ([]outbox.Ref, error) {
	if err := message.Validate(message.KindAcks, payload); err != nil {
		return nil, err
	}
	var a message.Acks
	if err := json.Unmarshal(payload, &a); err != nil {
		return nil, err
	}
	if a.Unit != unit {
		return nil, fmt.Errorf("it is for unit %.80q", a.Unit)
	}
	refs := make([]outbox.Ref, 0, len(a.Stored))
	for _, s := range a.Stored {
		of, number, err := message.ParseID(s.ID)
		if err != nil {
			return nil, err
		}
		if of != unit {
			return nil, fmt.Errorf("%q is not an id of this unit", s.ID)
		}
		refs = append(refs, outbox.Ref{Number: number, Revision: uint32(s.Revision)})
	}
	return refs, nil
}
