//! Reader, Writer and Codec: the only place that slices untrusted bytes.
