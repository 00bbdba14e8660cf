// Package chunk is the codec of the archive's superchunks: the rows of up to 64
// entities over one window, as bytes. It knows columns of numbers and nothing of
// stores, files or entities.
package chunk
