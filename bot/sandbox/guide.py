"""What `make sandbox` prints: where the page is, and what there is to try."""

from bot.sandbox.samples.photos import GOOD, TRICKY
from bot.sandbox.world import REHEARSAL_KEY

GUIDE = """
Darkroom's sandbox is ready. Open this address in a browser:

    {url}

Sample photos to upload: {folder}
({good} good ones, and {tricky} tricky ones in its folder “tricky”)

“Viewing as” switches between Ben, Cleo and Ada, the admin. Private messages are not shown there: what somebody
is asked privately stands under /me.

Try a LoRA: type /train, press Enter until the form opens, give it a name and the photos, tick the box, Submit.
  Press “Start training”, wait half a minute, then make a picture. Then try /styles, /train subject:a character with
  one photo, and the buttons below a picture.

Try an event: it is open in the channel. Press “Give photos” as Ben, then as Cleo (ten each); as Ada close each stage
  early with /event status: the photos are chosen, a LoRA is trained, make a picture as Ben and as Cleo, vote.

Try a limit: each member may use 300 credits a month, as after any first key: one training and some pictures. To reach
  it sooner, send /budget set as Ada with who: each member and credits: 3. As Ben send /imagine with any prompt,
  twice: the second is refused. /budget show says what is left; as Ada, /budget clear takes the limit away.

Try a named person: as Ben send /train with two photos, press “Who is in them?”, choose Cleo, Apply. As Cleo send /me,
  press “Show and answer”, and say yes or no. As Ben see with /dataset show what became of the photos.

Try a blocked member: as Ada send /moderation block with Ben. As Ben try /imagine, or any button. As Ada let Ben in
  again with /moderation unblock.

As Ada try /keys status, /keys test, /budget show, /moderation log and /settings, too.

Rehearsal keys are set already; Apiframe's is {key}.
Ctrl+C ends the sandbox and deletes everything.
"""


def guide(url: str) -> str:
    return GUIDE.format(url=url, folder=GOOD[0].parent, good=len(GOOD), tricky=len(TRICKY), key=REHEARSAL_KEY)
