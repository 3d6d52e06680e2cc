// Polars' half of the parquet benchmark: `read FILE` or `write FILE` (which first reads it, untimed). One thread; prints { seconds, megabytes }.
process.env.POLARS_MAX_THREADS = '1'
const { default: pl } = await import('nodejs-polars')
const [act, path] = process.argv.slice(2)
let start = process.hrtime.bigint()
const frame = pl.readParquet(path)
if (act === 'write') {
  start = process.hrtime.bigint()
  frame.writeParquet(path, { compression: 'zstd', compressionLevel: 3, rowGroupSize: 20000 })
}
const seconds = Number(process.hrtime.bigint() - start) / 1e9
process.stdout.write(JSON.stringify({ seconds, megabytes: process.resourceUsage().maxRSS / 1024 }))
