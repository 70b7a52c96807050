"""The passwords and words that guessers try first, for people who write French, Dutch or English.

Lower case, without accents. Only what has 12 characters or more can be typed at all; the words below cover the rest
("motdepasse2026!" is a common word, digits and a sign).
"""

WALKS = (
    "azertyuiopqsdfghjklmwxcvbn",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1aqw2zsx3edc4rfv5tgb6yhn7ujm",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1z2e3r4t5y6u7i8o9p0",
)

_WORDS = """
password passwort passwrd passw0rd p@ssword p@ssw0rd motdepasse motdepass monmotdepasse wachtwoord mijnwachtwoord
azerty qwerty qwertz azertyuiop qwertyuiop admin administrator administrateur administration root user guest test
bonjour bonsoir salut coucou hello welcome bienvenue welkom letmein changeme changezmoi changer secret sesame
iloveyou jetaime jtaime monamour amour doudou loulou chouchou cherie princesse princess prinses soleil sunshine
zonnetje dragon monkey football voetbal baseball superman batman starwars pokemon naruto marseille paris lille
namur bruxelles brussel belgique belgie france flandre wallonie hautsdefrance chocolat chocolate cooperative
cooperateur maillage membre member account compte connexion login session internet ordinateur computer master
maman papa famille family vacances printemps automne hiver janvier fevrier mars avril juin juillet aout septembre
octobre novembre decembre lundi mardi mercredi jeudi vendredi samedi dimanche nicolas camille caroline alexandre
michael jordan michelle charlie ashley daniel jennifer thomas marie julien trustno
"""

_PASSWORDS = """
correcthorsebatterystaple thequickbrownfox tobeornottobe letthesunshine whatthefuck fuckyoufuckyou
iloveyouforever jetaimepourlavie jetaimemonamour liberteegalitefraternite vivelafrance allezlesbleus
leschaussettesdelarchiduchesse unanneaupourlesgouvernertous maytheforcebewithyou quelaforcesoitavectoi
mynameis1234 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc zaq12wsxcde3 qazwsxedcrfv qazwsxedcrfvtgb azeqsdwxc123
123qweasdzxc 1qazxsw23edc q1w2e3r4t5y6 asdfghjkl123 123456789abc abc123456789 123456789abcd a123456789a
1234567890aa aa1234567890 123456789qwe 12qwaszx34er 987654321abc 111222333444 112233445566 123123123123
147258369147 147852369147 159753159753 159357159357 789456123789 741852963741 741852963000 102030405060
121212121212 101010101010 131313131313 696969696969 000000000000 111111111111 999999999999 246813579246
"""

COMMON_WORDS = frozenset(_WORDS.split())
COMMON = frozenset(_PASSWORDS.split())
