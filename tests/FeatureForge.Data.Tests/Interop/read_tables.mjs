// Reads tables with a JavaScript library and prints one JSON object: file -> { rows, types, key_values }.
// Usage: node --input-type=module - ENGINE FILE...   with this script on standard input, from the folder that holds node_modules.
// Bytes become hexadecimal text, timestamps microseconds since 1970, maps objects; everything else is as the library gives it.
import { readFileSync } from 'node:fs'

function plain(value) {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Date) return value.getTime() * 1000
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value, plain)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]))
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  return value
}

async function withPolars(file) {
  const { default: pl } = await import('nodejs-polars')
  let scan = pl.scanParquet(file)
  // Polars reads binary columns and 16-bit floats; its JavaScript binding cannot hand them over.
  if (/items[^/]*$/.test(file)) scan = scan.select(pl.exclude(['content', 'signature']))
  if (file.includes('float16')) scan = scan.withColumn(pl.col('vector').cast(pl.List(pl.Float32)))
  const frame = scan.collectSync()
  const types = Object.fromEntries(frame.columns.map((name, at) => [name, frame.dtypes[at].toString()]))
  const columns = frame.columns.map(name => {
    const column = frame.getColumn(name)
    // A map arrives as a list of { key, value }.
    if (name === 'quality') return column.toArray().map(pairs => Object.fromEntries([...(pairs ?? [])].map(pair => [pair.key, pair.value])))
    // Dates hold milliseconds only.
    if (types[name].includes('(Datetime(')) return column.cast(pl.Int64).toArray().map(plain)
    return column.toArray().map(value => value?.toArray ? plain(value.toArray()) : plain(value))
  })
  const rows = Array.from({ length: columns[0].length }, (_, row) => Object.fromEntries(frame.columns.map((name, at) => [name, columns[at][row]])))
  return { rows, types }
}

async function withHyparquet(file) {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet')
  const { compressors } = await import('hyparquet-compressors')
  const buffer = await asyncBufferFromFile(file)
  const metadata = await parquetMetadataAsync(buffer)
  const rows = await parquetReadObjects({ file: buffer, metadata, compressors, utf8: false, parsers: { timestampFromMicroseconds: micros => micros } })
  const types = Object.fromEntries(metadata.schema.filter(element => element.type).map(element => [element.name, element.type]))
  const key_values = Object.fromEntries((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value]))
  return { rows: rows.map(plain), types, key_values, count: Number(metadata.num_rows) }
}

async function withArrow(file) {
  const { tableFromIPC } = await import('apache-arrow')
  const table = tableFromIPC(readFileSync(file))
  const names = table.schema.fields.map(field => field.name)
  const types = Object.fromEntries(table.schema.fields.map(field => [field.name, field.type.toString()]))
  const rows = table.toArray().map(row => Object.fromEntries(names.map(name => {
    const value = row[name]
    return [name, plain(value !== null && typeof value === 'object' && typeof value.toArray === 'function' ? value.toArray() : value)]
  })))
  return { rows, types, key_values: Object.fromEntries(table.schema.metadata) }
}

const [engine, ...files] = process.argv.slice(2)
const read = { polars: withPolars, hyparquet: withHyparquet, arrow: withArrow }[engine]
const answer = {}
for (const file of files) answer[file] = await read(file)
process.stdout.write(JSON.stringify(answer))
