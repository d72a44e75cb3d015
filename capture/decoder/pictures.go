package decoder

import (
	"platewatch/capture/internal/codec"
	"platewatch/capture/internal/handover"
)

// pictures decodes one picture after the other.
func (u *unit) pictures() error {
	limits := codec.Limits{MaxPixels: u.job.MaxPixels, MaxSide: u.job.MaxSide}
	for m := range u.decode {
		picture, err := codec.Decode(u.memory.Input()[:m.Length], limits, m.Only)
		if err != nil {
			if err := u.failWith(err); err != nil {
				return err
			}
			continue
		}
		slot := <-u.free
		err = u.copyTo(slot, picture)
		frame := handover.Message{Kind: handover.Frame, Slot: slot, Width: picture.Cols(), Height: picture.Rows(), Position: -1}
		picture.Close()
		if err != nil {
			return err
		}
		if err := u.tell(frame); err != nil {
			return nil // the unit is gone
		}
	}
	return nil
}
