// Writes tables with Polars, as people who work with it do. Usage: node --input-type=module - FOLDER, this script on standard input.
import { default as pl } from 'nodejs-polars'

const folder = process.argv[2]
const rows = {
  id: ['a', 'b', 'c', 'd'],
  text: ['first', null, 'third 🤔 日本語', 'fourth'],
  n: [1, null, 3, 4],
  f: [2.5, null, -0.5, 1e300],
  flag: [true, null, false, true],
  moment: [new Date(Date.UTC(2026, 0, 2, 3, 4, 5)), null, null, null],
  tags: [['x', 'y'], null, [], ['z']],
}
const frame = pl.DataFrame(rows).withColumn(pl.col('id').cast(pl.Categorical).alias('kind'))
for (const compression of ['uncompressed', 'snappy', 'gzip', 'lz4', 'zstd']) frame.writeParquet(`${folder}/${compression}.parquet`, { compression })
const many = pl.DataFrame({ text: Array.from({ length: 3000 }, (_, at) => `row ${at}`) })
many.writeParquet(`${folder}/many.parquet`, { compression: 'zstd', rowGroupSize: 500 })
frame.filter(pl.col('n').gt(100)).writeParquet(`${folder}/none.parquet`)
