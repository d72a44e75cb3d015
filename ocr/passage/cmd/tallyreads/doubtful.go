package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
)

// doubtful lists the pictures that contradict their label, with their folder, by the
// beginning of their SHA-256, because some are named after their plate. All pictures
// that were looked up with a wrong text were inspected; in any doubt the label counts.
var doubtful = map[string]string{
	"f1207ea1b0c523bf": "us",
	"83da11ebe6a06cff": "br",
	"ccedb8e7913be516": "us_carpark",
	"5a1f24384e4129a4": "us",
	"ad7b2590c516a1ca": "br_night",
	"f5b984401b2151a5": "br_night",
	"a78a77071d25f9c5": "br_night",
	"c3aead2d3ad0a682": "br_night",
	"6ba4e86988f3c0a7": "br_night",
	"ebafb6d402a321d0": "br_night",
	"76a68814a9882fe2": "br_night",
	"c4479ee52683dba2": "br_night",
	"96b5883276cbf2c7": "tw",
	"598c28e85dfd2474": "tw",
	"9863b55f7191da55": "tw",
}

// isDoubtful reports whether a picture is one of them.
func isDoubtful(path string) (bool, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(b)
	_, ok := doubtful[hex.EncodeToString(sum[:8])]
	return ok, nil
}
