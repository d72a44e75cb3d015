package main

import (
	"os"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	table := func(find string) string {
		return "processor\tpicture\tdecode\tfind\tread\twhole\tdescribe\narm64\tuk-rear\t10.0\t" + find + "\t300.0\t400.0\t80.0\n"
	}
	if err := compare(table("100.0"), table("101.5")); err != nil {
		t.Errorf("1.5 of 100 million: %v; want that within 1 %% and one million", err)
	}
	err := compare(table("100.0"), table("103.0"))
	if err == nil || !strings.Contains(err.Error(), "arm64: uk-rear costs 103.0 million instructions to find, 3.0 % more than the 100.0 of the table") {
		t.Errorf("3 %% more: %v", err)
	}
	if err := compare(table("100.0"), table("50.0")); err != nil {
		t.Errorf("half: %v", err)
	}
	if err := compare("processor\tpicture\n", table("100.0")); err == nil {
		t.Error("a picture that is not in the table was compared")
	}
}

// The table that is committed has all the fixed pictures.
func TestTable(t *testing.T) {
	text, err := os.ReadFile("../../cost.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for _, processor := range []string{"amd64", "arm64"} {
		for _, picture := range fixed {
			if !strings.Contains(string(text), "\n"+processor+"\t"+picture+"\t") {
				t.Errorf("%s on %s is not in the table: go run ./ocr/cmd/cost -update", picture, processor)
			}
		}
	}
}
