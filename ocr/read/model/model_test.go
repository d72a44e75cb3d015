package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// TestReportIsOfThisModel: the model in the repository is the one that its
// training report describes.
func TestReportIsOfThisModel(t *testing.T) {
	var report struct {
		SHA256  string  `json:"sha256"`
		Bytes   int     `json:"bytes"`
		Command string  `json:"command"`
		Samples int     `json:"samples"`
		Hours   float64 `json:"hours"`
	}
	b, err := os.ReadFile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &report); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(Plate)
	if got := hex.EncodeToString(sum[:]); got != report.SHA256 || len(Plate) != report.Bytes {
		t.Errorf("the model has hash %s and %d bytes, its report says %s and %d", got, len(Plate), report.SHA256, report.Bytes)
	}
	if report.Command == "" || report.Samples == 0 || report.Hours == 0 {
		t.Errorf("the report does not say how the model was made: %+v", report)
	}
}
