// Splits comma or tab separated text into rows by RFC 4180: quoted fields may hold separators, doubled quotes and newlines.
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Reads rows one at a time; a field may have at most <paramref name="longestField"/> UTF-16 units.</summary>
internal sealed class DelimitedReader(TextReader text, char separator, int longestField)
{
    private readonly char[] _buffer = new char[1 << 15];
    private readonly StringBuilder _field = new();
    private int _at;
    private int _end;

    /// <summary>The next row that is not blank, or null at the end.</summary>
    /// <exception cref="MediaRejectedException">A quoted field never ends, or a field is too long.</exception>
    public List<string>? Next()
    {
        while (true)
        {
            if (Peek() < 0) return null;
            var row = ReadRow();
            if (row is not [""]) return row;
        }
    }

    private List<string> ReadRow()
    {
        var row = new List<string>();
        while (true)
        {
            if (Peek() == '"') ReadQuoted();
            while (Peek() is var c and >= 0 && c != separator && c is not ('\n' or '\r')) Append();
            row.Add(_field.ToString());
            _field.Clear();
            var end = Take();
            if (end == separator) continue;
            if (end == '\r' && Peek() == '\n') Take();
            return row;
        }
    }

    private void ReadQuoted()
    {
        Take();
        while (true)
        {
            if (Peek() < 0) throw new MediaRejectedException(RejectionCode.Truncated, "A quoted field is still open at the end of the table.");
            if (Peek() != '"')
            {
                Append();
                continue;
            }
            Take();
            if (Peek() != '"') return;
            Append();
        }
    }

    private void Append()
    {
        if (_field.Length >= longestField) throw new MediaRejectedException(RejectionCode.TooLarge, $"A field has more than {longestField} characters.");
        _field.Append((char)Take());
    }

    private int Peek()
    {
        if (_at < _end) return _buffer[_at];
        (_at, _end) = (0, text.Read(_buffer, 0, _buffer.Length));
        return _end > 0 ? _buffer[0] : -1;
    }

    private int Take()
    {
        var c = Peek();
        if (c >= 0) _at++;
        return c;
    }
}
