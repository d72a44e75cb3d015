package main

import "strings"

// between is a range of a measure.
type between [2]float64

func (b between) draw(d dice) float64 { return d.in(b[0], b[1]) }

// row is the kind that is one row of two.
const row = "row"

// kind is a family of plates: wide ranges around those that one region issues.
type kind struct {
	name     string
	share    float64 // of all plates
	capital  between // height of the characters / height of the plate
	aspect   between // width / height of the plate
	wide     between // width / height of an H
	middle   between // height of the characters' middle, 0 top – 1 foot
	dark     float64 // chance of light characters on dark
	frame    float64 // chance of a frame
	art      float64 // chance of a picture behind the characters
	patterns []string
	marks    string // possible separators of two groups, see mark
}

var kinds = []kind{
	{name: "us", share: .40, capital: between{.38, .54}, aspect: between{1.85, 2.15}, wide: between{.36, .62}, middle: between{.45, .56},
		dark: .2, frame: .42, art: .75, marks: "    --.oosssktww",
		patterns: split(`LLL DDDD*6 DLLLDDD*5 LLL DDD*6 DDD LLL*6 LL DDDD|LL DDDDD|DDDDDD|DDD DDD|D LLLDD|LLL DDL|LDD DDL|DDLLDD|LLDDDDD|DDDD LL|DDD DDDD|
LDDDDDD|DLDDDD|DDDDD|LLLLLL*2 LLLLLLL*3 LLLLL*2 LLLL|LLLLLD|LLLLDD|LLL LLLL|LLLL LL|LLDLLL|LLLLL DD|LDDDD|DLL DDD|LLL DLL|DDDDDDL|LDDDDD|DDL LLD|DDDD|D DDDDDL|LLD LDL*2 LLD DDD|L DDDDD|LLL|DDLL DD|LDL DDDD|DDDDLLL|LL DD|LLL LLL|DLLLLDD|DDDLLD`)},
	{name: "eu", share: .28, capital: between{.58, .76}, aspect: between{4, 4.9}, wide: between{.45, .7}, middle: between{.46, .54},
		dark: .15, frame: .45, art: .12, marks: "   ----.:rrrroosshh",
		patterns: split(`LL DDDLL*7 DLD DDDD*4 LL DDDDD|LLL DDDD|LLL DDLL|L LL DDD|LL LL DDD|LL LL DDDD|L LL DDDD|L LL DD|LL L DDDD|LL DDD LL*3 DDDD LLL*2 LLL DD DD|LL DDLLL|LLL LLDD|
L LLDDDD|LL DD LL|LLL DDD*2 LL DDDD|LL DDDDL|D LLL DDD*2 LL DD LL|DD LLL D|DD LL LL|DDDD LL DD|DDD LLL DD|L DDDD|DDLLDDDD|LL L DDD|DDDLLL|LDDDLLL|LLLDDDL|D DDDDDD|LL DDDDDD|DDD LLL|LDDD LLL`)},
	{name: "br", share: .14, capital: between{.44, .56}, aspect: between{2.85, 3.3}, wide: between{.6, .88}, middle: between{.55, .66},
		dark: .3, frame: .25, art: .08, marks: "...-- ", patterns: []string{"LLL DDDD"}},
	{name: "mercosul", share: .04, capital: between{.48, .58}, aspect: between{2.85, 3.3}, wide: between{.5, .72}, middle: between{.6, .68},
		dark: .2, frame: .3, art: .1, marks: "   ", patterns: []string{"LLLDLDD"}},
	{name: "uk", share: .05, capital: between{.62, .76}, aspect: between{4.2, 4.9}, wide: between{.5, .68}, middle: between{.46, .54},
		dark: .15, frame: .3, art: .05, marks: " ", patterns: split(`LLDD LLL*4 LDDD LLL|LLL DDDL|LL DDDD`)},
	// One row of a plate that has two: the reader is shown them one by one.
	{name: row, share: .03, capital: between{.62, .8}, aspect: between{1.5, 3.4}, wide: between{.45, .75}, middle: between{.46, .54},
		dark: .15, frame: 0, art: .05, marks: "  --r", patterns: split(`LL|LLL*2 DDDD*2 LLDD*2 DDL|DDDDL|LLLL|DDDDD|DLDD|LDDD|DDD|L LL|DD LL|LL DD`)},
	{name: "other", share: .06, capital: between{.42, .78}, aspect: between{1.9, 4.9}, wide: between{.4, .8}, middle: between{.42, .6},
		dark: .25, frame: .3, art: .3, marks: "  -.os", patterns: split(`LLL DDDD*3 LL DDDD|DDDD LL|LLL DDD|DDD LLL|LL DDDLL|DDDDDD|LLDD LLLL|LL DD DD`)},
}

// split reads patterns separated by '|', each with an optional weight "*n ".
func split(s string) []string {
	var out []string
	for p := range strings.SplitSeq(strings.ReplaceAll(s, "\n", ""), "|") {
		for p != "" {
			body, rest, weighted := strings.Cut(p, "*")
			if !weighted {
				out = append(out, p)
				break
			}
			for range int(rest[0] - '0') {
				out = append(out, body)
			}
			p = strings.TrimPrefix(rest[1:], " ")
		}
	}
	return out
}

// text makes a number: most follow a pattern of the kind, the rest are random
// characters, so that the reader does not learn to correct its input.
func (k *kind) text(d dice) string {
	if d.one(.75) {
		return d.fill(pick(d, k.patterns...))
	}
	n := pick(d, 3, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7, 8, 8, 9)
	switch k.name {
	case "us", "br":
		n = min(n, 8)
	case row:
		n = min(n, 5)
	}
	p := make([]byte, 0, n+2)
	for i := range n {
		if i > 0 && i < n-1 && len(p) < n+2 && d.one(.2) && p[len(p)-1] != ' ' {
			p = append(p, ' ')
		}
		p = append(p, "LD"[d.IntN(2)])
	}
	return d.fill(string(p))
}

var (
	countries = strings.Fields("D SK CZ PL F GB I E NL A B H SLO FIN S P BG RO CH DK N LV IRL LT EST UA HR SRB L")
	states    = strings.Split("ALABAMA|ALASKA|ARIZONA|ARKANSAS|CALIFORNIA|COLORADO|CONNECTICUT|DELAWARE|FLORIDA|GEORGIA|HAWAII|IDAHO|ILLINOIS|INDIANA|IOWA|KANSAS|KENTUCKY|LOUISIANA|MAINE|MARYLAND|MASSACHUSETTS|MICHIGAN|MINNESOTA|MISSISSIPPI|MISSOURI|MONTANA|NEBRASKA|NEVADA|NEW HAMPSHIRE|NEW JERSEY|NEW MEXICO|NEW YORK|NORTH CAROLINA|NORTH DAKOTA|OHIO|OKLAHOMA|OREGON|PENNSYLVANIA|RHODE ISLAND|SOUTH CAROLINA|SOUTH DAKOTA|TENNESSEE|TEXAS|UTAH|VERMONT|VIRGINIA|WASHINGTON|WEST VIRGINIA|WISCONSIN|WYOMING", "|")
	slogans   = strings.Split("THE NATURAL STATE|GRAND CANYON STATE|ALOHA STATE|SUNSHINE STATE|LAND OF LINCOLN|FAMOUS POTATOES|GREAT LAKES|SHOW ME STATE|GARDEN STATE|EMPIRE STATE|FIRST IN FLIGHT|CONSTITUTION STATE|VACATIONLAND|10000 LAKES|LIVE FREE OR DIE|SILVER STATE|VETERAN|DISABLED|UNIVERSITY|IN GOD WE TRUST|NATIVE AMERICA|DMV STATE GOV", "|")
	dealers   = strings.Split("HILLSIDE MOTORS|AUTOHAUS BERG|GARAGE DU LAC|SUNSET AUTO|VALLEY CARS|UNION DODGE|DOWNTOWN MOTORS|OAK LAWN|ALUMNI|GO BLUE|I LOVE MY DOG|323 780 0800|FORD STORE|WWW AUTO EU|CARTEC|BILDEPOT|MY OTHER CAR", "|")
	cities    = strings.Split("BA SALVADOR|SP SAO PAULO|PR CURITIBA|MG BELO HORIZONTE|RJ NITEROI|PR PARANAGUA|ES VITORIA|DF BRASILIA|SC JOINVILLE|RS PORTO ALEGRE|PR COLOMBO|GO GOIANIA|BRASIL", "|")
	months    = strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
)
