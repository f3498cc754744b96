from mt5_bridge.sources.complaints import Complaint


def test_a_trouble_is_told_when_it_is_new_and_again_while_it_lasts():
    complaint = Complaint(every=60)
    told = [complaint.is_due("gone", second) for second in (0, 1, 59, 60, 61)]
    assert told == [True, False, False, True, False]
    assert complaint.is_due("full", 62)
    assert complaint.is_due("gone", 63)


def test_a_trouble_that_was_over_is_news():
    complaint = Complaint(every=60)
    assert complaint.is_due("gone", 0)
    complaint.over()
    assert complaint.is_due("gone", 1)
