//! The allocator of every process. The C library's grows slower with its heap: measured in docs/performance.md.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
