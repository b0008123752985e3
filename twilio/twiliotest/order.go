package twiliotest

import (
	"math"
	"slices"
	"sort"
)

// place is where a message stands in the list: by its moment (Unix
// nanoseconds), then by its running number.
type place struct {
	at  int64
	ref uint32
}

// top lies above every place.
var top = place{at: math.MaxInt64, ref: math.MaxUint32}

func (p place) less(q place) bool {
	return p.at < q.at || p.at == q.at && p.ref < q.ref
}

// blockSize keeps an insertion in the middle below a few hundred nanoseconds.
const blockSize = 512

// order keeps places sorted, oldest first, in blocks, so that a million
// messages can be seeked, inserted and moved without shifting a million places.
type order struct{ blocks [][]place }

// seek finds the first place that is not below p: the block and the index in it.
func (o *order) seek(p place) (block, index int) {
	block = sort.Search(len(o.blocks), func(i int) bool {
		b := o.blocks[i]
		return !b[len(b)-1].less(p)
	})
	if block == len(o.blocks) {
		return block, 0
	}
	b := o.blocks[block]
	return block, sort.Search(len(b), func(i int) bool { return !b[i].less(p) })
}

func (o *order) insert(p place) {
	block, index := o.seek(p)
	if block == len(o.blocks) { // above all: append, and never split what is full
		if block == 0 || len(o.blocks[block-1]) == blockSize {
			o.blocks = append(o.blocks, append(make([]place, 0, blockSize), p))
			return
		}
		o.blocks[block-1] = append(o.blocks[block-1], p)
		return
	}
	if len(o.blocks[block]) == blockSize {
		full := o.blocks[block]
		upper := append(make([]place, 0, blockSize), full[blockSize/2:]...)
		o.blocks[block] = full[:blockSize/2]
		o.blocks = slices.Insert(o.blocks, block+1, upper)
		if index > blockSize/2 {
			block, index = block+1, index-blockSize/2
		}
	}
	o.blocks[block] = slices.Insert(o.blocks[block], index, p)
}

func (o *order) remove(p place) {
	block, index := o.seek(p)
	if block == len(o.blocks) || o.blocks[block][index] != p {
		return
	}
	o.blocks[block] = slices.Delete(o.blocks[block], index, index+1)
	if len(o.blocks[block]) == 0 {
		o.blocks = slices.Delete(o.blocks, block, block+1)
	}
}

// below yields the places under p, highest first.
func (o *order) below(p place) func(yield func(place) bool) {
	return func(yield func(place) bool) {
		block, index := o.seek(p)
		for ; block >= 0; block-- {
			if block < len(o.blocks) {
				b := o.blocks[block]
				for index--; index >= 0; index-- {
					if !yield(b[index]) {
						return
					}
				}
			}
			if block > 0 {
				index = len(o.blocks[block-1])
			}
		}
	}
}

// above yields the places over p, lowest first.
func (o *order) above(p place) func(yield func(place) bool) {
	return func(yield func(place) bool) {
		block, index := o.seek(p)
		for ; block < len(o.blocks); block++ {
			for _, q := range o.blocks[block][index:] {
				if q != p && !yield(q) {
					return
				}
			}
			index = 0
		}
	}
}
