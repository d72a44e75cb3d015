package entry

import (
	"slices"
	"strings"
)

// The names of colours that a unit sees on vehicles. Grey is also silver, yellow
// also gold, brown also beige.
var seenColours = []string{"black", "white", "grey", "red", "blue", "green", "yellow", "orange", "brown"}

// colourWords are the words for colours in lists: the codes of NCIC (NCIC Code
// Manual, Vehicle Color Codes: VCO) and words of the common languages, in lower
// case without diacritics. A colour between two counts as either. What has none
// of the names, such as purple or camouflage, is left out: it is not compared.
var colourWords = map[string][]string{
	"black": {"blk", "black", "schwarz", "noir", "negro", "nero", "preto", "zwart", "czarny"},
	"white": {"whi", "white", "weiss", "weis", "blanc", "blanco", "bianco", "branco", "wit", "bialy"},
	"grey": {"gry", "gray", "grey", "sil", "silver", "silber", "grau", "gris", "argent", "plata", "plateado", "grigio", "argento", "cinza", "prata",
		"grijs", "zilver", "szary", "srebrny", "com", "chrome", "aluminum"},
	"red": {"red", "mar", "maroon", "burgundy", "rot", "rouge", "rojo", "rosso", "vermelho", "rood", "czerwony"},
	"blue": {"blu", "blue", "lbl", "dbl", "light blue", "dark blue", "blau", "bleu", "azul", "blu scuro", "blauw", "niebieski", "tea", "teal", "trq",
		"turquoise"},
	"green":  {"grn", "green", "lgr", "dgr", "light green", "dark green", "grun", "gruen", "vert", "verde", "groen", "zielony", "tea", "teal", "trq", "turquoise"},
	"yellow": {"yel", "yellow", "gld", "gold", "gelb", "jaune", "amarillo", "giallo", "amarelo", "geel", "zolty"},
	"orange": {"ong", "orange", "naranja", "arancione", "laranja", "oranje", "pomaranczowy", "cpr", "copper"},
	"brown": {"bro", "brown", "bge", "beige", "tan", "crm", "cream", "ivory", "brz", "bronze", "cpr", "copper", "braun", "marron", "brun", "marrone",
		"castanho", "marrom", "bruin", "brazowy", "mar", "maroon", "gld", "gold"},
}

// ColourNames are the names that a unit may see a listed colour as; none where the
// list has no colour, or one that is not among the names. "SIL/BLK" and "red and
// white" count as each of their parts.
func ColourNames(listed string) []string {
	var out []string
	whole := bare(listed)
	if whole == "" {
		return nil
	}
	parts := strings.FieldsFunc(whole, func(r rune) bool { return strings.ContainsRune("/,-+&", r) })
	for _, word := range append([]string{whole}, append(parts, strings.Fields(whole)...)...) {
		word = strings.TrimSpace(word)
		for _, name := range seenColours {
			if slices.Contains(colourWords[name], word) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// bare is a text in lower case without diacritics.
func bare(text string) string {
	return plainLetters.Replace(strings.ToLower(strings.TrimSpace(text)))
}

// plainLetters is made once: match looks at the colour of every entry it weighs.
var plainLetters = strings.NewReplacer("ä", "a", "ö", "o", "ü", "u", "ß", "ss", "é", "e", "è", "e", "ł", "l", "ż", "z", "ó", "o", "ą", "a", "ń", "n", "ç", "c")

// usStates are the codes of the states that issue plates (NCIC Code Manual, State
// and Country Data Codes: LIS), with their names.
var usStates = map[string]string{
	"AL": "ALABAMA", "AK": "ALASKA", "AZ": "ARIZONA", "AR": "ARKANSAS", "CA": "CALIFORNIA", "CO": "COLORADO", "CT": "CONNECTICUT",
	"DE": "DELAWARE", "DC": "DISTRICT OF COLUMBIA", "FL": "FLORIDA", "GA": "GEORGIA", "HI": "HAWAII", "ID": "IDAHO", "IL": "ILLINOIS",
	"IN": "INDIANA", "IA": "IOWA", "KS": "KANSAS", "KY": "KENTUCKY", "LA": "LOUISIANA", "ME": "MAINE", "MD": "MARYLAND",
	"MA": "MASSACHUSETTS", "MI": "MICHIGAN", "MN": "MINNESOTA", "MS": "MISSISSIPPI", "MO": "MISSOURI", "MT": "MONTANA", "NE": "NEBRASKA",
	"NB": "NEBRASKA", "NV": "NEVADA", "NH": "NEW HAMPSHIRE", "NJ": "NEW JERSEY", "NM": "NEW MEXICO", "NY": "NEW YORK",
	"NC": "NORTH CAROLINA", "ND": "NORTH DAKOTA", "OH": "OHIO", "OK": "OKLAHOMA", "OR": "OREGON", "PA": "PENNSYLVANIA", "PR": "PUERTO RICO",
	"RI": "RHODE ISLAND", "SC": "SOUTH CAROLINA", "SD": "SOUTH DAKOTA", "TN": "TENNESSEE", "TX": "TEXAS", "UT": "UTAH", "VT": "VERMONT",
	"VA": "VIRGINIA", "WA": "WASHINGTON", "WV": "WEST VIRGINIA", "WI": "WISCONSIN", "WY": "WYOMING",
}

// countries are other ways to write a country than its ISO 3166-1 alpha-2 code:
// the sign on its vehicles and its English name.
var countries = map[string]string{
	"D": "de", "GERMANY": "de", "F": "fr", "FRANCE": "fr", "I": "it", "ITALY": "it", "E": "es", "SPAIN": "es", "A": "at", "AUSTRIA": "at",
	"B": "be", "BELGIUM": "be", "UK": "gb", "GBR": "gb", "UNITED KINGDOM": "gb", "GREAT BRITAIN": "gb", "IRL": "ie", "IRELAND": "ie",
	"NETHERLANDS": "nl", "POLAND": "pl", "P": "pt", "PORTUGAL": "pt", "S": "se", "SWEDEN": "se", "N": "no", "NORWAY": "no", "FIN": "fi",
	"FINLAND": "fi", "DENMARK": "dk", "SLO": "si", "SLOVENIA": "si", "SLOVAKIA": "sk", "H": "hu", "HUNGARY": "hu", "EST": "ee", "ESTONIA": "ee",
	"LATVIA": "lv", "LITHUANIA": "lt", "L": "lu", "LUXEMBOURG": "lu", "M": "mt", "MALTA": "mt", "ROMANIA": "ro", "BULGARIA": "bg",
	"CROATIA": "hr", "CZECHIA": "cz", "CZECH REPUBLIC": "cz", "GREECE": "gr", "CYPRUS": "cy", "TURKEY": "tr", "UKRAINE": "ua",
	"SWITZERLAND": "ch", "BRAZIL": "br", "TAIWAN": "tw",
}

// IssuerCodes are the authorities that a listed state may mean, as units see them:
// ISO 3166-1 alpha-2 in lower case, of US states with the country before it. DE is
// Delaware or Germany. None where the list has no state, or one that is unknown.
func IssuerCodes(state string) []string {
	state = strings.ToUpper(strings.TrimSpace(state))
	state = strings.TrimPrefix(state, "US-")
	var out []string
	for code, name := range usStates {
		if state == code || state == name {
			code = strings.Replace(code, "NB", "NE", 1) // NCIC's Nebraska
			if c := "us-" + strings.ToLower(code); !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	if c := countries[state]; c != "" {
		out = append(out, c)
	} else if len(state) == 2 && state != "US" {
		out = append(out, strings.ToLower(state))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
