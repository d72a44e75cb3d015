package entry

import (
	"slices"
	"testing"
)

func TestColourNames(t *testing.T) {
	for listed, want := range map[string][]string{
		"RED": {"red"}, "SIL": {"grey"}, "Silber": {"grey"}, "Weiß": {"white"}, "MAR": {"red", "brown"}, "BLK": {"black"}, "DBL": {"blue"},
		"SIL/BLK": {"grey", "black"}, "red and white": {"red", "white"}, "vert": {"green"}, "": nil, "PLE": nil, "camouflage": nil,
	} {
		if got := ColourNames(listed); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", listed, got, want)
		}
	}
}

func TestIssuerCodes(t *testing.T) {
	for listed, want := range map[string][]string{
		"TX": {"tx", "us-tx"}, "Texas": {"us-tx"}, "us-tx": {"tx", "us-tx"}, "NB": {"nb", "us-ne"}, "DE": {"de", "us-de"}, "D": {"de"},
		"NL": {"nl"}, "UK": {"gb"}, "Germany": {"de"}, "": nil, "US": nil, "XYZ": nil,
	} {
		if got := IssuerCodes(listed); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", listed, got, want)
		}
	}
}

func TestMakeName(t *testing.T) {
	for listed, want := range map[string]string{"CHEV": "CHEVROLET", "merz": "MERCEDES-BENZ", "FORD": "FORD", "Toyota": "Toyota", "": ""} {
		if got := MakeName(listed); got != want {
			t.Errorf("%q: %q", listed, got)
		}
	}
}
