package entry

import "strings"

// makes are the codes of NCIC for the makes of cars and motorcycles that are common
// (NCIC Code Manual, Vehicle Make: VMA), where the code is not the name.
var makes = map[string]string{
	"ACUR": "ACURA", "ALFA": "ALFA ROMEO", "BENT": "BENTLEY", "BUIC": "BUICK", "CADI": "CADILLAC", "CHEV": "CHEVROLET",
	"CHRY": "CHRYSLER", "DODG": "DODGE", "DUCA": "DUCATI", "FERR": "FERRARI", "FRHT": "FREIGHTLINER", "HD": "HARLEY-DAVIDSON",
	"HOND": "HONDA", "HUMM": "HUMMER", "HYUN": "HYUNDAI", "INFI": "INFINITI", "INTL": "INTERNATIONAL", "ISU": "ISUZU",
	"JAGU": "JAGUAR", "KAWK": "KAWASAKI", "KW": "KENWORTH", "LAMO": "LAMBORGHINI", "LEXS": "LEXUS", "LINC": "LINCOLN",
	"LNDR": "LAND ROVER", "MASE": "MASERATI", "MAZD": "MAZDA", "MERC": "MERCURY", "MERZ": "MERCEDES-BENZ",
	"MITS": "MITSUBISHI", "MNNI": "MINI", "NISS": "NISSAN", "OLDS": "OLDSMOBILE", "PLYM": "PLYMOUTH", "PONT": "PONTIAC",
	"PORS": "PORSCHE", "PTRB": "PETERBILT", "ROL": "ROLLS-ROYCE", "SAA": "SAAB", "STRN": "SATURN", "SUBA": "SUBARU",
	"SUZI": "SUZUKI", "TESL": "TESLA", "TOYT": "TOYOTA", "TRIU": "TRIUMPH", "VOLK": "VOLKSWAGEN", "VOLV": "VOLVO", "YAMA": "YAMAHA",
}

// MakeName is the make that a code of NCIC stands for; other texts stay as they are.
func MakeName(listed string) string {
	if name := makes[strings.ToUpper(strings.TrimSpace(listed))]; name != "" {
		return name
	}
	return listed
}
