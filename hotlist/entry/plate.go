package entry

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxPlate is the longest plate, in characters, that an entry can have and
// that a lookup looks for. No country's plates have more than ten.
const MaxPlate = 16

// lookalikes maps letters that Unicode does not decompose to Latin ones. The
// Cyrillic and Greek capitals are those that plates use because they look like
// Latin letters (Vienna Convention on Road Traffic, annex 2).
var lookalikes = map[rune]string{
	'Æ': "AE", 'Œ': "OE", 'Ø': "O", 'Đ': "D", 'Ð': "D", 'Ł': "L", 'Þ': "TH", 'ẞ': "SS", 'ß': "SS", 'ı': "I",
	'А': "A", 'В': "B", 'Е': "E", 'К': "K", 'М': "M", 'Н': "H", 'О': "O", 'Р': "P", 'С': "C", 'Т': "T",
	'У': "Y", 'Х': "X", 'І': "I", 'Ј': "J", 'Ѕ': "S",
	'Α': "A", 'Β': "B", 'Ε': "E", 'Ζ': "Z", 'Η': "H", 'Ι': "I", 'Κ': "K", 'Μ': "M", 'Ν': "N", 'Ο': "O",
	'Ρ': "P", 'Τ': "T", 'Υ': "Y", 'Χ': "X",
}

// Normalize reduces a plate to what a reader can see of it: capital letters
// A-Z and digits 0-9. Case, spaces, hyphens, symbols and diacritics go;
// letters that look like Latin ones become those; everything else is dropped.
// Normalising twice changes nothing.
func Normalize(s string) string {
	if isNormal(s) {
		return s
	}
	return string(AppendNormal(make([]byte, 0, len(s)), s))
}

func isNormal(s string) bool {
	for i := range len(s) {
		if !IsPlateByte(s[i]) {
			return false
		}
	}
	return true
}

// IsPlateByte tells whether c is one of A-Z and 0-9.
func IsPlateByte(c byte) bool { return 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' }

// AppendNormal appends s, normalised, to dst. ASCII input needs no memory.
func AppendNormal(dst []byte, s string) []byte {
	for _, r := range s {
		if r < 0x80 {
			dst = appendASCII(dst, r)
			continue
		}
		if latin, ok := lookalikes[unicode.ToUpper(r)]; ok {
			dst = append(dst, latin...)
			continue
		}
		if latin, ok := lookalikes[r]; ok {
			dst = append(dst, latin...)
			continue
		}
		// Only letters and digits: the numero sign would decompose into NO.
		if !unicode.IsLetter(r) && !unicode.Is(unicode.Nd, r) {
			continue
		}
		for _, d := range norm.NFKD.String(string(r)) {
			dst = appendASCII(dst, d)
		}
	}
	return dst
}

func appendASCII(dst []byte, r rune) []byte {
	switch {
	case 'a' <= r && r <= 'z':
		return append(dst, byte(r)-'a'+'A')
	case r < 0x80 && IsPlateByte(byte(r)):
		return append(dst, byte(r))
	}
	return dst
}

// Fold maps the characters of a normalised plate that many plates' typefaces,
// and many hotlists, do not tell apart onto one: O becomes 0, I becomes 1.
func Fold(s string) string {
	for i := range len(s) {
		if FoldByte(s[i]) != s[i] {
			b := []byte(s)
			FoldBytes(b)
			return string(b)
		}
	}
	return s
}

func FoldBytes(b []byte) {
	for i, c := range b {
		b[i] = FoldByte(c)
	}
}

// FoldByte is [Fold] of one character.
func FoldByte(c byte) byte {
	switch c {
	case 'O':
		return '0'
	case 'I':
		return '1'
	}
	return c
}
