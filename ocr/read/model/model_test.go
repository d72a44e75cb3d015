package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// TestReportIsOfThisModel: the models in the repository are those that their
// training reports describe.
func TestReportIsOfThisModel(t *testing.T) {
	for name, data := range map[string][]byte{"report.json": Plate, "second.json": Second, "scout.json": Scout} {
		t.Run(name, func(t *testing.T) { checkReport(t, name, data) })
	}
}

func checkReport(t *testing.T, name string, model []byte) {
	t.Helper()
	var report struct {
		SHA256  string  `json:"sha256"`
		Bytes   int     `json:"bytes"`
		Command string  `json:"command"`
		Samples int     `json:"samples"`
		Hours   float64 `json:"hours"`
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &report); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(model)
	if got := hex.EncodeToString(sum[:]); got != report.SHA256 || len(model) != report.Bytes {
		t.Errorf("the model has hash %s and %d bytes, its report says %s and %d", got, len(model), report.SHA256, report.Bytes)
	}
	if report.Command == "" || report.Samples == 0 || report.Hours == 0 {
		t.Errorf("the report does not say how the model was made: %+v", report)
	}
}
