package status

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"platewatch/cmd/platewatch/internal/testdrive"
)

// driveView is [View.What] of a test drive.
const driveView = "test drive"

// driveRead is a read in /testdrive.json.
type driveRead struct {
	Number     uint64  `json:"number"`
	Age        Seconds `json:"age_s"`
	Camera     string  `json:"camera"`
	Text       string  `json:"text"`
	Confidence float64 `json:"confidence"`
	Picture    bool    `json:"picture"` // /testdrive/{number} exists
}

func (s *Server) driveMinutes() int {
	if s.opt.TestDrive == nil {
		return 0
	}
	return int(s.opt.Drive.For.Minutes())
}

// driveControl begins or ends a test drive. Its end is in the audit trail like its
// beginning, whether it is stopped, its time is over, or its session ends.
func (s *Server) driveControl(w http.ResponseWriter, r *http.Request) {
	drive := s.opt.TestDrive
	if s.driveMinutes() == 0 {
		http.Error(w, "test drives are switched off: status.test_drive", http.StatusNotFound)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	switch r.FormValue("do") {
	case "start":
	case "stop":
		drive.Stop()
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		http.Error(w, `do is "start" or "stop"`, http.StatusBadRequest)
		return
	}
	v, view := viewerOf(r), viewBy(r, driveView)
	view.From = time.Now()
	recorded := make(chan struct{}) // its beginning
	stop, ok := drive.Start(v.who, s.opt.Drive.For, func() {
		<-recorded
		view.Until = time.Now()
		s.reportView(view)
	})
	if !ok {
		http.Error(w, "a test drive runs already", http.StatusConflict)
		return
	}
	s.reportView(view)
	close(recorded)
	if v.session != nil {
		context.AfterFunc(v.session.ctx, stop)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) reportView(v View) {
	if s.opt.OnView != nil {
		s.opt.OnView(v)
	}
}

// driveReads responds with what was read during the drive, newest first.
func (s *Server) driveReads(w http.ResponseWriter, _ *http.Request) {
	out := struct {
		Left  Seconds     `json:"left_s"` // 0 without a drive
		Reads []driveRead `json:"reads"`
	}{Reads: []driveRead{}}
	if drive := s.opt.TestDrive; drive != nil {
		if state, ok := drive.State(); ok {
			out.Left = Seconds(state.Left.Seconds())
		}
		for _, d := range drive.Reads() {
			out.Reads = append(out.Reads, driveRead{d.Number, Since(d.At), d.Camera, d.Text, d.Confidence, d.Picture != nil})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		s.countSlow(err)
	}
}

// drivePicture responds with the plate of a read.
func (s *Server) drivePicture(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.ParseUint(r.PathValue("number"), 10, 64)
	if drive := s.opt.TestDrive; drive != nil && err == nil {
		for _, d := range drive.Reads() {
			if d.Number == number && d.Picture != nil {
				writeJPEG(w, d.Picture)
				return
			}
		}
	}
	pictureError(w, ErrNoPicture)
}

// testDrive is what the document says of a drive.
func testDrive(d *testdrive.Drive) *TestDrive {
	if d == nil {
		return nil
	}
	state, ok := d.State()
	if !ok {
		return nil
	}
	return &TestDrive{Who: state.Who, Left: Seconds(state.Left.Seconds())}
}
