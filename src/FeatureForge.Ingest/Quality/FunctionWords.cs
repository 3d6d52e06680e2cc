// The commonest short words of languages that share a script. A sentence has several of them, and few of another language's.
using System.Collections.Frozen;
using System.Globalization;

namespace FeatureForge.Ingest;

/// <summary>The likeliest language and the share of the found words that count for it.</summary>
/// <param name="IsClear">Enough words were found and no other language is near.</param>
/// <param name="Near">The languages that come into question, this one among them; empty when too few words were found to say.</param>
internal readonly record struct WordGuess(string Code, float Confidence, bool IsClear, IReadOnlyList<string> Near);

internal static class FunctionWords
{
    private const int MostWords = 400;
    private const float EnoughToChoose = 1.5f;

    private static readonly (string Code, string Words)[] Lists =
    [
        ("en", "the of and to in is that for it with as was on be by this are at from or have an not which you had they has but his her she were been their would there when who will more if no out so what up about into than them can only other some could these two may then do first any my now such like our over"),
        ("de", "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde sei wir ich ihre kann unter gegen vom"),
        ("fr", "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec son cette ou être comme mais on nous vous leur elle ses fait aux été ont sa si aussi même tout deux bien peut entre sans dont après où ils je très ces"),
        ("es", "de la que el en y a los del se las por un para con no una su al lo como más pero sus le ya o este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante todos uno les ni contra otros ese eso ante ellos esto fue son está ha era"),
        ("pt", "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre era depois sem mesmo aos ter seus são você"),
        ("it", "di e il la che in un a per è del con una non i da le si al dei della sono come nel più lo gli alla ha anche ma delle dal o dalla su questo questa ed se ci cui essere nella quando tra stato suo sua loro fatto tutti molto dopo senza ancora solo perché era hanno sul"),
        ("nl", "de van het een en in is dat op te zijn met voor niet aan er die om ook als maar bij dan door naar uit nog over ik je hij wordt zich heeft tot ze deze werd kan worden meer geen haar of wat was hun zo ons moet veel we onder tegen had zijn wel"),
        ("sv", "och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan när år under också efter eller nu sin där vid mot ska skulle kommer ut får finns vara hade alla andra mycket än här då sedan över bara blir upp"),
        ("da", "og i at det er en til af på som for den med de ikke har der et var jeg han fra vi om kan men sig så ved også efter eller blev skal hun ud da hvor når være ville deres nu over mange havde hvis op denne bliver mod dem meget selv"),
        ("no", "og i det er på til som en av for at med har de ikke den et om var jeg han seg fra men vi så kan ble også etter eller skal hun ut da hvor når være ville deres nå over mange hadde hvis opp denne blir mot dem mye selv bare noe vil"),
        ("fi", "ja on ei se että hän oli joka ovat mutta myös kun niin tai kuin ole jos mukaan sen hänen vain jo sekä nyt ne mitä voi ollut jotka tämä olla sitä siitä kanssa vuonna jälkeen eivät minä tässä vielä kuitenkin ennen kaikki noin"),
        ("pl", "i w na z do się nie to jest że o jak za od po przez ale dla są co tym czy tak jego jej oraz był być już ma może także tylko lub pod tego które który która przed gdy ze było będzie jako bardzo również jednak ich jeszcze"),
        ("cs", "a v se na je že o s z do i to ve pro za by jsou po jako od ale si jak jeho při které který která byl podle k u jsem nebo ze být také až tak co má není však jen bylo ke jejich mezi už kde této roce když před"),
        ("sk", "a v sa na je že o s z do aj to vo pre za by sú po ako od ale si jeho pri ktoré ktorý ktorá bol podľa k u som alebo zo byť tak čo má nie však len bolo ku ich medzi už kde tejto roku keď pred"),
        ("hu", "a az és hogy nem is egy meg de ez volt csak már van el még mint azt ha ki vagy kell ezt lehet pedig amely minden után több így sem magyar nagyon majd itt most ennek fel szerint aki ami olyan lesz ő között"),
        ("ro", "de și în a la cu pe nu un o care din pentru că mai se este sau au fost prin dar sa fi al lui ce ca să dintre după cel cea lor fără până acest această sunt era când foarte despre doar numai între fie"),
        ("tr", "ve bir bu da de için ile çok daha olarak en kadar gibi olan ama ne var o sonra ise ya değil her olduğunu ben göre oldu mi iki diye ki yeni önce bile şey hem veya sadece yok onun zaman içinde nasıl arasında"),
        ("vi", "và của là có được trong cho không một các với những người đã này để khi từ ở đến về như cũng nhiều vào ra sẽ bị tại còn đó theo hơn làm nhưng năm trên phải lại sau nước việc ông thì chỉ nếu vì"),
        ("id", "yang dan di ini itu dengan untuk dari dalam tidak pada akan ke adalah oleh juga ada karena mereka saya telah sebagai atau bisa tersebut dia kita lebih sudah kami seperti bahwa harus dapat para saat tahun hanya orang menjadi"),
        ("ca", "de la i el que a en les els per un una amb del no és al es va com més dels ha o però són pel també aquest aquesta seva seu hi molt quan entre sense fins ser ja fer tot han sobre si on ens perquè"),
        ("hi", "के में है की को का से और पर ने एक कि भी यह नहीं हैं लिए इस कर हो था तो ही कहा या वह जो अपने बाद साथ गया रहा थी थे किया इसके उनके रहे हुए तक कुछ जा सकता करने"),
        ("mr", "आणि आहे या व च्या हे की तो ते ही आहेत होते होता असे त्या एक नाही मध्ये काही पण केली केला केले यांनी त्यांच्या झाली तर म्हणून करण्यात आली आला असून येथे"),
        ("ne", "र छ को मा का ले पनि हो गर्न यो भएको गरेको छन् लागि एक भन्ने थियो गर्ने तथा हुने गरी भने साथ नेपाल वा"),
        ("ru", "и в не на что с он по как это но из к у за от то же для так все его до о был бы при она или только они уже мы еще если когда года может после также чтобы их более я вы время будет который были была со ее"),
        ("uk", "і в на не що з у та до за як про це він по від для але а його ми або є які був бути також вони якщо може року із той її щоб при так вже я ще після коли тільки який через над було"),
        ("hr", "i u je na se da su za od s a što koji o kao iz ne to biti bi ili kako ali sve po nakon samo još do koja koje godine već prema te nije tako može prije više njegov ona između"),
        ("sl", "in je v na za da se so ki z s pa bi kot po tudi od iz ne ali lahko še pri sem do ni bo ter bil to ko o smo če bila med tem kar vse pred samo zelo kako kje zakaj njegov njen tako potem zaradi"),
        ("is", "og að í á er sem til um við það ekki með fyrir en hann var af eru ég því hefur frá verið þess eftir þá hún hafa þeir upp þetta verður eða þar mjög þegar síðan hans nú svo sé ef vera"),
        ("et", "ja on ei et see oli ta mis ka kui oma siis aga või nii kes veel mille seda selle välja ma ning peale olla kõik ole nad üle väga juba oleks enam mida saab meie selles ise nende tema kuid"),
        ("lv", "un ir ar no uz par ka kas lai pie arī tas bet vai to kā pēc tiek viņš nav līdz tikai jau bija šo gada savu mēs var kad gan šis tā ļoti es viņa vēl visi kur"),
        ("lt", "ir yra kad į iš su ne tai bet kaip buvo apie tik dar jo jau metų po gali nuo iki už jis ar savo jos jie mes labai kai bus dėl prie per nes to šios ką aš turi pat"),
        ("sq", "të e në për një me dhe që nga është i u se më do ka nuk si kjo ky janë ai ishte por edhe ku mund tij kanë po pas shumë kur saj tek duke kishte qenë deri vetëm"),
        ("sw", "na ya wa kwa ni katika la za cha kuwa hii kama lakini si huu ile yake pia watu hiyo mwaka wake sana baada huo alikuwa ambayo ili kutoka ambao yao hivyo zaidi wote kila au hapa vya"),
        ("tl", "ang ng sa na mga at ay ito si para hindi kung ni siya ko may isang niya mo ako nang sila kay rin din pa lang ka nila kanilang wala bilang nito dahil kanyang upang mula noong naman lamang"),
        ("eu", "eta da ez bat dira du zen baina ere dute izan dago zuen egin hau hori dela den beste bere duen baino gabe izango hala edo zituen baten oso behar gure bi ziren"),
        ("bg", "на и в за да се от са с не по като че до това ще при или но бе той към беше след само има как повече може още тя го му тази този които който"),
        ("sr", "и у је да на се за са од не су као што из који а по то о која али које би до или при није само када још након због све"),
        ("mk", "на и во да се за од со не ќе е го ги што како но по кој која кои или беше тоа до сите има само уште каде може исто така"),
        ("be", "і ў на не з што да як у гэта але па ад для за быў яна яго яны ці так каб пра калі яшчэ толькі якія які вельмі таксама"),
    ];

    private static readonly FrozenDictionary<string, int[]> Languages = Lists
        .SelectMany((list, number) => list.Words.Split(' ').Distinct().Select(word => (word, number)))
        .GroupBy(entry => entry.word).ToFrozenDictionary(group => group.Key, group => group.Select(entry => entry.number).ToArray());

    private static readonly FrozenDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> Lookup = Languages.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Null: none was found.</summary>
    public static WordGuess? Guess(ReadOnlySpan<char> text)
    {
        Span<float> scores = stackalloc float[Lists.Length];
        scores.Clear();
        Span<char> lower = stackalloc char[16];
        var (words, found) = (0, 0);
        for (var at = 0; at < text.Length && words < MostWords;)
        {
            while (at < text.Length && !char.IsLetter(text[at])) at++;
            var from = at;
            while (at < text.Length && (char.IsLetter(text[at]) || IsMark(text[at]))) at++;
            if (at == from) break;
            words++;
            if (at - from > 10) continue; // longer than any of them
            var length = text[from..at].ToLowerInvariant(lower);
            if (!Lookup.TryGetValue(lower[..length], out var languages)) continue;
            found++;
            // A word that several languages have says little.
            foreach (var language in languages) scores[language] += 1f / languages.Length;
        }
        if (found == 0) return null;
        var (best, second) = (0, -1);
        for (var language = 1; language < scores.Length; language++)
        {
            if (scores[language] > scores[best]) (second, best) = (best, language);
            else if (second < 0 || scores[language] > scores[second]) second = language;
        }
        var confidence = scores[best] / (scores[best] + scores[second] + 0.5f);
        var near = new List<string>();
        if (scores[best] >= EnoughToChoose)
        {
            for (var language = 0; language < scores.Length; language++)
                if (scores[language] >= scores[best] / 4) near.Add(Lists[language].Code);
        }
        return new(Lists[best].Code, confidence, near.Count == 1 || (scores[best] >= 2 && scores[best] >= 3 * scores[second] && scores[best] >= 0.08f * words), near);
    }

    // Vowel signs of Devanagari are marks, and belong to their word.
    private static bool IsMark(char unit) => unit >= 0x0300 && CharUnicodeInfo.GetUnicodeCategory(unit) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
