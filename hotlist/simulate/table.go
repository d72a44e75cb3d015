package simulate

import (
	"fmt"
	"strings"
)

// MixLegend says what [MixTable] holds.
const MixLegend = "\nThe same where the plates that pass have other formats than the list's: one character longer or shorter; those of\n" +
	"neighbouring states; a list of several states, and others that pass. The unit learns from what it reads which\n" +
	"formats pass, and where a format is common, a plate of it is not taken for a listed one with a character more or less.\n"

// MixTable are the cells of what lists and traffic of different formats give, with
// a header.
func MixTable(rows []Row) [][]string {
	header := []string{"LIST AND TRAFFIC", "ENTRIES", "READS", "FALSE", "ONE IN", "OF THEM EXACT"}
	for _, e := range Errors {
		header = append(header, strings.ToUpper(e.String()))
	}
	out := [][]string{header}
	for _, r := range rows {
		every := "none"
		if r.False > 0 {
			every = fmt.Sprintf("%.0f", r.Every())
		}
		row := []string{r.Mix, fmt.Sprint(r.Size), fmt.Sprint(r.Reads), fmt.Sprint(r.False), every, fmt.Sprint(r.FalseExact)}
		for _, e := range Errors {
			row = append(row, percent(r.Hits[e.String()]))
		}
		out = append(out, row)
	}
	return out
}

// StateLegend says what [StateTable] holds.
const StateLegend = "\nThe same with the states that issue the plates: the list has the states' mix, most plates that pass are of one state, and\n" +
	"each state issues the same numbers. FALSE: alerts for vehicles that are not listed, mostly the listed number of another\n" +
	"state; UNOPPOSED: those without a caution that another state was seen. TOLD: the same of vehicles whose state was told at\n" +
	"0.8 or more. FOUND: listed vehicles whose plates are read right, without the state seen, with it, and on a list that\n" +
	"demands agreement (agree = true).\n"

// StateTable are the cells of what seeing the state changes, with a header.
func StateTable(rows []StateRow) [][]string {
	out := [][]string{{"STATES: ENTRIES", "READS", "FALSE", "UNOPPOSED", "FALSE, TOLD", "UNOPPOSED", "FOUND WITHOUT", "WITH", "AGREE"}}
	for _, r := range rows {
		out = append(out, []string{fmt.Sprint(r.Size), fmt.Sprint(r.Reads), fmt.Sprint(r.False), fmt.Sprint(r.Unopposed), fmt.Sprint(r.Told),
			fmt.Sprint(r.ToldUnopposed), percent(r.Blind), percent(r.Found), percent(r.Agreed)})
	}
	return out
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
