package hotlist

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"syscall"
)

// A list file is a bbolt file with checksums of all its bytes behind it:
//
//	bbolt pages                        n bytes
//	CRC-32C of each 64 KiB of them     4 bytes each, little endian
//	footer                             magic (8), n (8), block size (4), CRC-32C of the checksums and the footer up to here (4)
//
// bbolt maps the whole file and never looks behind its last page.

const (
	sumsBlock  = 64 << 10
	footerSize = 24
)

var sumsMagic = [8]byte{'P', 'W', 'H', 'L', 'S', 'U', 'M', '1'}

// sealFile appends the checksums to a finished bbolt file and syncs it.
func sealFile(path string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	sums := make([]byte, 0, 4*(size/sumsBlock+1)+footerSize)
	buf := make([]byte, sumsBlock)
	for off := int64(0); off < size; off += sumsBlock {
		block := buf[:min(sumsBlock, size-off)]
		if _, err := f.ReadAt(block, off); err != nil {
			return err
		}
		sums = binary.LittleEndian.AppendUint32(sums, crc32.Checksum(block, castagnoli))
	}
	sums = append(sums, sumsMagic[:]...)
	sums = binary.LittleEndian.AppendUint64(sums, uint64(size))
	sums = binary.LittleEndian.AppendUint32(sums, sumsBlock)
	sums = binary.LittleEndian.AppendUint32(sums, crc32.Checksum(sums, castagnoli))
	if _, err := f.WriteAt(sums, size); err != nil {
		return err
	}
	return f.Sync()
}

// verifySums reads the whole file once and compares it with its checksums. A
// mismatch, or a sector that cannot be read, is [ErrDamaged].
func verifySums(ctx context.Context, f *os.File) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	sums, err := readSums(f, size)
	if err != nil {
		return err
	}
	dataSize := size - int64(len(sums)) - footerSize
	buf := make([]byte, sumsBlock)
	for off := int64(0); off < dataSize; off += sumsBlock {
		if err := ctx.Err(); err != nil {
			return err
		}
		block := buf[:min(sumsBlock, dataSize-off)]
		if _, err := f.ReadAt(block, off); err != nil {
			return readFailure(err)
		}
		if crc32.Checksum(block, castagnoli) != binary.LittleEndian.Uint32(sums[off/sumsBlock*4:]) {
			return fmt.Errorf("%w: the checksum of bytes %d to %d is wrong", ErrDamaged, off, off+int64(len(block))-1)
		}
	}
	return nil
}

// readSums returns the checksums of a file's blocks.
func readSums(f *os.File, size int64) ([]byte, error) {
	if size < footerSize {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrDamaged, size)
	}
	var footer [footerSize]byte
	if _, err := f.ReadAt(footer[:], size-footerSize); err != nil {
		return nil, readFailure(err)
	}
	n := binary.LittleEndian.Uint64(footer[8:])
	if [8]byte(footer[:8]) != sumsMagic || binary.LittleEndian.Uint32(footer[16:]) != sumsBlock || n > uint64(size) {
		return nil, fmt.Errorf("%w: its end is missing or overwritten", ErrDamaged)
	}
	blocks := (int64(n) + sumsBlock - 1) / sumsBlock
	if int64(n)+4*blocks+footerSize != size {
		return nil, fmt.Errorf("%w: it has %d bytes instead of %d", ErrDamaged, size, int64(n)+4*blocks+footerSize)
	}
	sums := make([]byte, 4*blocks, 4*blocks+footerSize)
	if _, err := f.ReadAt(sums, int64(n)); err != nil {
		return nil, readFailure(err)
	}
	sum := crc32.Update(crc32.Checksum(sums, castagnoli), castagnoli, footer[:footerSize-4])
	if sum != binary.LittleEndian.Uint32(footer[footerSize-4:]) {
		return nil, fmt.Errorf("%w: the checksum of its checksums is wrong", ErrDamaged)
	}
	return sums, nil
}

// readFailure tells a medium that no longer gives its bytes back, which is
// damage, from everything else.
func readFailure(err error) error {
	if errors.Is(err, syscall.EIO) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}
